"""Draining comes to its end, whoever ends the last run and whatever the record says meanwhile."""

from __future__ import annotations

import threading
from pathlib import Path

from daemon.core import Daemon
from daemon.service import prepare_home
from pipeline.config.load import load_project
from store import lifecycle, queue
from store.home import Home
from store.queue import NewRun
from store.times import system_clock


def test_a_drain_goes_on_through_a_record_that_cannot_be_read_and_sees_an_end_that_nobody_tells(
    project: Path,
) -> None:
    """The races: a run whose start fails while the daemon drains has no process whose end is told."""
    home = Home.of_project(project)
    prepare_home(home)
    daemon = Daemon(home, load_project(project), system_clock)
    with daemon.record.transaction() as tx:
        new = NewRun(job="backup", kind="backup", target="", trigger="manual", actor="ann")
        (run,) = queue.submit(tx, [new])
        lifecycle.start_attempt(tx, run, "n1")
    drained = threading.Thread(target=daemon.drain, daemon=True)
    away = home.root / "away"
    home.database.rename(away)
    drained.start()
    drained.join(0.5)
    away.rename(home.database)
    assert drained.is_alive()
    with daemon.record.transaction() as tx:
        lifecycle.settle(tx, run, "failed", reason="no process could be started")
    drained.join(10)
    assert not drained.is_alive()
    daemon.record.close()
