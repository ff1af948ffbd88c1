"""What a daemon does with the attempts of the one before it."""

from __future__ import annotations

from pathlib import Path

from sqlmodel import select

from daemon.recover import recover
from daemon.supervisor import Supervisor
from store import lifecycle, queue
from store.engine import Record
from store.home import Home
from store.queue import NewRun
from store.tables import Run
from store.times import system_clock


def test_a_run_whose_files_cannot_be_read_is_lost_and_the_daemon_starts(tmp_path: Path) -> None:
    home = Home(tmp_path)
    record = Record.open(home, system_clock)
    new = NewRun(job="etl:a", kind="etl", target="a", trigger="manual", actor="ann")
    with record.transaction() as tx:
        for run in queue.submit(tx, [new, new]):
            lifecycle.start_attempt(tx, run, f"n{run}")
            home.attempt(run, 1).root.mkdir(parents=True)
    home.attempt(1, 1).status.mkdir()
    recover(record, Supervisor(record, lambda: None))
    with record.read() as session:
        found = session.exec(select(Run.state, Run.reason).order_by("id")).all()
    assert [state for state, _ in found] == ["lost", "queued"], "nothing of the second one was begun"
    assert "what it left cannot be read: IsADirectoryError" in found[0][1]
    record.close()
