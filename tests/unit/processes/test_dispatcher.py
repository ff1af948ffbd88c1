"""The dispatcher's thread: a fault of ours is seen from outside, and gone when it is over."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from daemon.dispatcher import Dispatcher
from daemon.supervisor import Supervisor
from daemon.warmth import WarmWorkers
from pipeline.config import Project, load_project
from store import queue
from store.engine import Record
from store.home import Home
from store.queue import NewRun
from store.times import system_clock


def _until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


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

    dispatcher = Dispatcher(
        record=record,
        clock=system_clock,
        project=read_project,
        supervisor=Supervisor(record, system_clock, lambda: None),
        warm=WarmWorkers(timedelta(seconds=1), tmp_path / "log"),
        gpus=lambda: [],
        degraded=lambda: "nothing is to start in this test",
        on_start=lambda: None,
    )
    dispatcher.start()
    _until(lambda: dispatcher.stumbled is not None)
    assert dispatcher.stumbled == "KeyError: 'no such section'"
    broken.clear()
    dispatcher.wake()
    _until(lambda: dispatcher.stumbled is None)
    dispatcher.stop()
    record.close()
