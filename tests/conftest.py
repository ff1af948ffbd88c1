"""What holds for every test: a home that it made gives its 64 MB of ballast back at once, not when the suite ends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _no_ballast_is_left(tmp_path: Path) -> Iterator[None]:
    yield
    for ballast in tmp_path.rglob("ballast"):
        ballast.unlink(missing_ok=True)
