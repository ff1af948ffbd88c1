"""One home with versions for the tests that change nothing in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.exporting.write import Exported
from store.home import Home
from tests.unit.export.shed import Shed


@pytest.fixture(scope="session")
def shed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shed]:
    made = Shed(Home(tmp_path_factory.mktemp("export") / "home"))
    made.version()
    made.version(0.5, promoted=False)
    yield made
    made.shelf.record.close()


@pytest.fixture(scope="session")
def function_folder(shed: Shed, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shed.export(tmp_path_factory.mktemp("function") / "late", to="lambda").folder


@pytest.fixture
def exported(shed: Shed, tmp_path: Path) -> Exported:
    return shed.export(tmp_path / "late")
