"""What holds for every test."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling, Scheduling

from tests.examples import settle

settle()
gc.disable()  # what is loaded with the tests stays: to look through it again and again is a fifth of a test of the UI


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000)
    gc.enable()


def pytest_sessionfinish() -> None:
    gc.unfreeze()  # else libraries find at the end that nothing let go of what they made, and say so


class Together(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Each test goes to the next process that is free, but those that share something made once a module stay in one:
    a second one would make it again.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return file if _shares(self.config.rootpath / file) else nodeid


@cache
def _shares(file: Path) -> bool:
    return 'scope="module")' in file.read_text(encoding="utf-8")


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    return Together(config, log)


@pytest.fixture(autouse=True)
def _no_ballast_is_left(tmp_path: Path) -> Iterator[None]:
    """A home that a test made gives its 64 MB of ballast back at once, not when the suite ends."""
    yield
    for ballast in tmp_path.rglob("ballast"):
        ballast.unlink(missing_ok=True)
