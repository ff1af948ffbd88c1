"""What holds for every test."""

from __future__ import annotations

import gc
import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from _pytest.unraisableexception import gc_collect_iterations_key
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling, Scheduling
from xdist.workermanage import WorkerController

from tests.examples import settle

ACCEPTANCE = Path(__file__).with_name("acceptance")

# One computing thread a test process: they share the cores, and idle OpenMP threads would spin for each other. It is
# said before anything imports numpy or scikit-learn, which read it once; acceptance tests, collected first, do.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

settle()
gc.disable()  # what is loaded with the tests stays: to look through it again and again is a fifth of a test of the UI


def pytest_configure(config: pytest.Config) -> None:
    """At its end pytest looks five times for what nobody let go of, a third of a second each with all that is loaded.

    What the first round frees may leave more behind for a second, and no more than that.
    """
    config.stash[gc_collect_iterations_key] = 2


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000)
    gc.enable()


def pytest_sessionfinish() -> None:
    gc.unfreeze()  # else libraries find at the end that nothing let go of what they made, and say so


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """`make unit` does not read files all of whose tests are slow: what they import takes seconds to load."""
    if config.option.markexpr == "not slow" and collection_path.suffix == ".py" and _all_slow(collection_path):
        return True
    return None


def _all_slow(file: Path) -> bool:
    return re.search(r"^pytestmark = .*\bmark\.slow\b", file.read_text(encoding="utf-8"), re.MULTILINE) is not None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Acceptance tests first, and among them those that are given most time: what takes minutes must not begin last."""
    items.sort(key=lambda item: -_patience(item) if item.path.parent == ACCEPTANCE else 0.0)


def _patience(item: pytest.Item) -> float:
    mark = item.get_closest_marker("timeout")
    return float(mark.args[0] if mark is not None else item.config.getini("timeout"))


class Together(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Each test goes to the next process that is free, but those that share something made once a module stay in one:
    a second one would make it again.

    The queue has two ends: at its head are the acceptance tests, which mostly wait for processes of their own, and at
    its foot tests that only compute. One process in three takes from the foot, so that no core waits with the others.
    """

    def __init__(self, config: pytest.Config, log: Producer) -> None:
        config.option.loadscopereorder = False  # the order is that of the collection, and not by the number of tests
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return file if _shares(self.config.rootpath / file) else nodeid

    def _assign_work_unit(self, node: WorkerController) -> None:
        if int(node.gateway.id.removeprefix("gw")) % 3 == 2:
            self.workqueue.move_to_end(next(reversed(self.workqueue)), last=False)
        super()._assign_work_unit(node)


@cache
def _shares(file: Path) -> bool:
    return 'scope="module")' in file.read_text(encoding="utf-8")


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    return Together(config, log)


@pytest.fixture(autouse=True)
def _no_ballast_is_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """A home that a test made gives its 64 MB of ballast back at once, not when the suite ends."""
    if "tmp_path" not in request.fixturenames:
        yield  # and has no folder: to make one for each of thousands of tests takes longer than many of them
        return
    folder: Path = request.getfixturevalue("tmp_path")
    yield
    for ballast in folder.rglob("ballast"):
        ballast.unlink(missing_ok=True)
