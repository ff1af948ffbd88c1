"""Versions that are pressed and compiled once for all tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.serving.executables import settle_jax
from pipeline.serving.loaded import LoadedVersion
from store.home import Home
from tests.unit.serving.bench import Bench


@pytest.fixture(scope="session", autouse=True)
def _synchronous() -> None:
    settle_jax()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(Home(tmp_path / "home"))


@pytest.fixture(scope="session")
def shared_bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """For tests that change nothing on disk."""
    return Bench(Home(tmp_path_factory.mktemp("serving")))


@pytest.fixture(scope="session")
def loaded(shared_bench: Bench) -> LoadedVersion:
    return shared_bench.loaded()
