"""An empty shelf on a real SQLite file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from store.home import Home
from tests.unit.registry.shelf import Shelf


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    shelf = Shelf(Home(tmp_path))
    yield shelf
    shelf.record.close()
