"""What holds for every test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that share something made once a module stay in one process: a second one would make it again."""
    for item in items:
        if isinstance(item, pytest.Function) and _shares(item):
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


def _shares(test: pytest.Function) -> bool:
    definitions = test._fixtureinfo.name2fixturedefs.values()  # nothing public tells a fixture's scope
    return any(several[-1].scope == "module" for several in definitions if several)


@pytest.fixture(autouse=True)
def _no_ballast_is_left(tmp_path: Path) -> Iterator[None]:
    """A home that a test made gives its 64 MB of ballast back at once, not when the suite ends."""
    yield
    for ballast in tmp_path.rglob("ballast"):
        ballast.unlink(missing_ok=True)
