"""Runs beside endpoints, as the kernel has them: priorities, groups and cores of real processes of a real daemon.

One project for all tests: its start takes as long as they do.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from pipeline.process.worker import RUN_NICENESS
from pipeline.serving.cores import available
from tests.acceptance.living import Living, until
from tests.acceptance.stage import SERVING, Stage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
CORES = sorted(available())
OURS = CORES[-1]
PINNED = f"cores = [{OURS}]"
FUNCTIONS = """
def rows_busy():
    while not os.path.exists("enough"):
        time.sleep(0.05)
    return table()
"""


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made = Stage(
        tmp_path_factory.mktemp("beside"),
        versions=1,
        serving=f"{SERVING}{PINNED}\n",
        functions=FUNCTIONS,
        pressed=True,
    )
    try:
        made.start()
        made.promote(1)
        yield made
    finally:
        made.close()


@pytest.fixture
def stage(started: Stage) -> Stage:
    """Pinned to a core, whatever the test before did."""
    if PINNED not in (started.folder / "trainshed.toml").read_text():
        settle(started, "workers = 1", PINNED)
    return started


def settle(stage: Stage, before: str, after: str) -> None:
    """Changes the settings, and waits for the workers that have them."""
    file, pids = stage.folder / "trainshed.toml", set(stage.pids())
    file.write_text(file.read_text().replace(before, after))
    stage.post("/v1/reload")
    until(lambda: not pids & set(stage.pids()), 120)  # renewed, one after the other
    stage.until_warm()


def test_runs_step_back_and_keep_off_the_cores_that_serving_has_to_itself(stage: Stage) -> None:
    stage.until_warm()
    assert stage.process is not None
    usual = psutil.Process(stage.process.pid).nice()
    run = stage.submit("etl:busy")
    shim = psutil.Process(Living.status(stage, run)["pid"])
    (worker,) = until(lambda: [one for one in (shim, *shim.children()) if one.nice() == usual + RUN_NICENESS], 60)
    others = [core for core in CORES if core != OURS] or CORES
    until(lambda: worker.cpu_affinity() == others, 10)
    for pid in stage.pids():
        process = psutil.Process(pid)
        assert (process.nice(), process.cpu_affinity()) == (usual, [OURS])
        assert {affinity(pid, thread.id) for thread in process.threads()} == {(OURS,)}
    if (group := group_of(worker.pid)) is not None:
        assert group == RUN_NICENESS
        assert {group_of(pid) for pid in stage.pids()} == {0}
    (stage.folder / "enough").touch()
    stage.wait(run)


def test_a_core_that_is_not_there_leaves_what_answers_as_it_is_and_says_so(stage: Stage) -> None:
    url, file = stage.until_warm(), stage.folder / "trainshed.toml"
    pids = stage.pids()
    file.write_text(file.read_text().replace(PINNED, "cores = [4096]"))
    stage.post("/v1/reload")
    problem = until(lambda: stage.endpoints()["problem"], 30)
    assert problem.startswith("the old settings stay in force: serving.cores: there is no core 4096 here; there are ")
    assert (stage.pids(), stage.url()) == (pids, url)
    settle(stage, "cores = [4096]", "workers = 1")
    assert {tuple(psutil.Process(pid).cpu_affinity()) for pid in stage.pids()} == {tuple(CORES)}


def affinity(pid: int, thread: int) -> tuple[int, ...]:
    allowed = Path(f"/proc/{pid}/task/{thread}/status").read_text().split("Cpus_allowed_list:")[1].split()[0]
    ends = [[int(core) for core in part.split("-")] for part in allowed.split(",")]
    return tuple(core for end in ends for core in range(end[0], end[-1] + 1))


def group_of(pid: int) -> int | None:
    """The niceness of its session's group; None where the kernel has no such groups."""
    file = Path(f"/proc/{pid}/autogroup")
    return int(file.read_text().split()[-1]) if file.exists() else None
