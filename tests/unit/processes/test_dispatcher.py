"""The dispatcher's thread: a fault of ours is seen from outside, and gone when it is over."""

from __future__ import annotations

import errno
import os
import sqlite3
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from daemon.children import start_cold
from daemon.dispatcher import Dispatcher
from daemon.ingest import only_stored
from daemon.supervisor import Supervisor
from daemon.warmth import WarmWorkers, _Process
from pipeline.config import Project, load_project
from pipeline.process.spool import Spool
from store import lifecycle, queue
from store.engine import Record
from store.home import AttemptDir, Home
from store.queue import NewRun
from store.results import artifacts_of, params_of
from store.tables import Run
from store.times import system_clock


def _until(holds: Callable[[], bool], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def _dispatcher(
    record: Record,
    project: Callable[[], Project],
    folder: Path,
    degraded: str | None = None,
    warm: WarmWorkers | None = None,
    supervisor: Supervisor | None = None,
) -> Dispatcher:
    return Dispatcher(
        record=record,
        clock=system_clock,
        project=project,
        supervisor=supervisor or Supervisor(record, lambda: None),
        warm=warm or WarmWorkers(timedelta(seconds=1), folder / "log"),
        gpus=lambda: [],
        degraded=lambda: degraded,
        on_start=lambda: None,
        report=only_stored,
    )


def test_a_dispatcher_that_stumbles_says_so_until_a_round_goes_well(tmp_path: Path) -> None:
    (tmp_path / "trainshed.toml").write_text('[project]\nname = "p"\n[daemon]\nwarm_workers = false\n')
    project, broken = load_project(tmp_path), [True]
    record = Record.open(Home(tmp_path / "home"), system_clock)
    with record.transaction() as tx:
        queue.submit(tx, [NewRun(job="etl:a", kind="etl", target="a", trigger="manual", actor="ann")])

    def read_project() -> Project:
        if broken:
            raise KeyError("no such section")
        return project

    dispatcher = _dispatcher(record, read_project, tmp_path, degraded="nothing is to start in this test")
    dispatcher.start()
    _until(lambda: dispatcher.stumbled is not None)
    assert dispatcher.stumbled == "KeyError: 'no such section'"
    broken.clear()
    dispatcher.wake()
    _until(lambda: dispatcher.stumbled is None)
    dispatcher.stop()
    record.close()


@pytest.mark.slow
def test_a_start_that_fails_while_the_record_is_locked_too_is_settled_as_soon_as_it_can_be(tmp_path: Path) -> None:
    """The race: the attempt is in the record, the disk is full, and the record does not take that either."""
    (tmp_path / "trainshed.toml").write_text('[project]\nname = "p"\n[daemon]\nwarm_workers = false\n')
    project, home = load_project(tmp_path), Home(tmp_path / "home")
    record = Record.open(home, system_clock)
    with record.transaction() as tx:
        (run,) = queue.submit(tx, [NewRun(job="etl:a", kind="etl", target="a", trigger="manual", actor="ann")])
    full = [True]
    other = sqlite3.connect(home.database, isolation_level=None, check_same_thread=False)

    def read() -> Run:
        with record.read() as session:
            return queue.get_run(session, run)

    def read_project() -> Project:
        if full and read().state == "starting":
            full.clear()
            other.execute("BEGIN IMMEDIATE")
            raise OSError(errno.ENOSPC, "No space left on device")
        return project

    dispatcher = _dispatcher(record, read_project, tmp_path)
    dispatcher.start()
    _until(lambda: other.in_transaction)
    time.sleep(6.0)  # longer than the record waits for a lock
    assert read().state == "starting"
    other.close()
    dispatcher.wake()
    _until(lambda: read().state == "queued")
    dispatcher.stop()
    found = read()
    assert (found.state, found.attempt, found.max_attempts) == ("queued", 1, 2), "nothing was tried: it is not counted"
    assert "No space left on device" in found.reason
    record.close()


def test_a_run_that_finds_no_space_and_is_cancelled_meanwhile_is_not_put_back(tmp_path: Path) -> None:
    """It went back into the queue with the wish for its end: it was started once more, only to be ended."""
    (tmp_path / "trainshed.toml").write_text('[project]\nname = "p"\n[daemon]\nwarm_workers = false\n')
    project = load_project(tmp_path)
    record = Record.open(Home(tmp_path / "home"), system_clock)
    with record.transaction() as tx:
        (run,) = queue.submit(tx, [NewRun(job="etl:a", kind="etl", target="a", trigger="manual", actor="ann")])

    def read() -> Run:
        with record.read() as session:
            return queue.get_run(session, run)

    def read_project() -> Project:
        if read().state == "starting":
            with record.transaction() as tx:
                lifecycle.request_cancel(tx, run, "ann")
            raise OSError(errno.ENOSPC, "No space left on device")
        return project

    dispatcher = _dispatcher(record, read_project, tmp_path)
    dispatcher.start()
    _until(lambda: read().state not in ("queued", "starting"))
    dispatcher.stop()
    assert (read().state, read().reason) == ("cancelled", "cancelled by ann")
    record.close()


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (KeyError("no such section"), "a fault of ours: KeyError"),
        (None, "'abc' is no version's number"),
    ],
)
def test_a_run_whose_order_cannot_be_written_fails_and_the_next_one_is_looked_at(
    tmp_path: Path, broken: Exception | None, said: str
) -> None:
    (tmp_path / "trainshed.toml").write_text('[project]\nname = "p"\n[daemon]\nwarm_workers = false\n')
    project, home = load_project(tmp_path), Home(tmp_path / "home")
    record = Record.open(home, system_clock)
    asked = NewRun(
        job="evaluate:a", kind="evaluate", target="a", trigger="manual", actor="ann", params={"version": "abc"}
    )
    with record.transaction() as tx:
        (run,) = queue.submit(tx, [asked])

    def read() -> Run:
        with record.read() as session:
            return queue.get_run(session, run)

    def read_project() -> Project:
        if broken is not None and read().state == "starting":
            raise broken
        return project

    dispatcher = _dispatcher(record, read_project, tmp_path)
    dispatcher.start()
    _until(lambda: read().state == "failed")
    dispatcher.stop()
    assert said in read().reason
    assert dispatcher.stumbled is None
    record.close()


@pytest.mark.slow
def test_a_run_that_waits_for_its_libraries_says_so_and_nothing_more_once_it_runs(tmp_path: Path) -> None:
    (tmp_path / "trainshed.toml").write_text('[project]\nname = "p"\n')
    project = load_project(tmp_path)
    record = Record.open(Home(tmp_path / "home"), system_clock)
    with record.transaction() as tx:
        (run,) = queue.submit(tx, [NewRun(job="backup", kind="backup", target="", trigger="manual", actor="ann")])

    def read() -> Run:
        with record.read() as session:
            return queue.get_run(session, run)

    warm = WarmWorkers(timedelta(seconds=1), tmp_path / "log")
    supervisor = Supervisor(record, lambda: None)
    supervisor.start()
    dispatcher = _dispatcher(record, lambda: project, tmp_path, warm=warm, supervisor=supervisor)
    dispatcher.start()
    _until(lambda: read().reason != "")
    assert (read().state, read().reason) == ("queued", "waits until its libraries are loaded, a few seconds")
    _until(lambda: read().state == "succeeded", seconds=60)
    dispatcher.stop()
    supervisor.stop()
    warm.close()
    assert read().reason == ""
    record.close()


class Hasty(WarmWorkers):
    """Its shims have come to their end before anybody looks at them."""

    def __init__(self, folder: Path, *, reaped: bool) -> None:
        super().__init__(timedelta(seconds=1), folder / "log")
        self._reaped = reaped

    def _ask(self, warm: _Process, directory: AttemptDir) -> dict[str, Any]:
        shim, process = start_cold(directory)
        os.waitid(os.P_PID, shim.pid, os.WEXITED | os.WNOWAIT)
        if self._reaped:
            process.wait()
        else:
            self.zombie = process
        return {"pid": shim.pid}


@pytest.mark.slow
@pytest.mark.parametrize("reaped", [True, False])
def test_a_run_that_ended_before_it_could_be_held_was_carried_out_once_and_is_stored(
    tmp_path: Path, reaped: bool
) -> None:
    """The race: this thread stood still, on a busy box, while a short run went from its first word to its last."""
    (tmp_path / "trainshed.toml").write_text('[project]\nname = "p"\n')
    project, home = load_project(tmp_path), Home(tmp_path / "home")
    record = Record.open(home, system_clock)
    with record.transaction() as tx:
        (run,) = queue.submit(tx, [NewRun(job="backup", kind="backup", target="", trigger="manual", actor="ann")])

    def read() -> Run:
        with record.read() as session:
            return queue.get_run(session, run)

    warm = Hasty(tmp_path, reaped=reaped)
    dispatcher = _dispatcher(record, lambda: project, tmp_path, warm=warm)
    dispatcher.start()
    _until(lambda: read().state not in ("queued", "starting"), seconds=60)
    dispatcher.stop()
    warm.close()
    if not reaped:
        warm.zombie.wait()
    assert read().state == "succeeded"
    with record.read() as session:
        assert [one.kind for one in artifacts_of(session, run)] == ["backup"]
    assert home.attempt(run, 1).events.read_text().count('"e":"hello"') == 1
    record.close()


@pytest.mark.slow
def test_what_a_run_with_the_same_number_left_before_a_restore_is_no_word_of_the_new_one(tmp_path: Path) -> None:
    """Numbers begin again where the restored record ends; the folders of the runs after it are still there."""
    (tmp_path / "trainshed.toml").write_text('[project]\nname = "p"\n[daemon]\nwarm_workers = false\n')
    project, home = load_project(tmp_path), Home(tmp_path / "home")
    record = Record.open(home, system_clock)
    left = home.attempt(1, 1)
    left.root.mkdir(parents=True)
    before = Spool(left.events, lambda: 1000.0)
    before.write("params", values={"batch": 256})
    before.write("done", message="")
    before.close()
    with record.transaction() as tx:
        (run,) = queue.submit(tx, [NewRun(job="backup", kind="backup", target="", trigger="manual", actor="ann")])

    def read() -> Run:
        with record.read() as session:
            return queue.get_run(session, run)

    supervisor = Supervisor(record, lambda: None)
    supervisor.start()
    dispatcher = _dispatcher(record, lambda: project, tmp_path, supervisor=supervisor)
    dispatcher.start()
    _until(lambda: read().state not in ("queued", "starting", "running"), seconds=60)
    dispatcher.stop()
    supervisor.stop()
    with record.read() as session:
        assert (read().state, params_of(session, run)) == ("succeeded", {})
    (kept,) = left.root.parent.glob("1.before-*")
    assert b"batch" in (kept / "events.jsonl").read_bytes()
    record.close()
