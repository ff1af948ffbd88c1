"""The thread that sends what waits in the outbox."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from daemon.notify import Notifier
from pipeline.config import Project
from store import alerts
from store.engine import Record, Transaction
from store.errors import StorageError
from store.findings import Finding
from store.home import Home
from store.times import system_clock
from tests.unit.alerts.receiver import receiving
from tests.webserver import Reply


class Filling(Record):
    """A record whose disk is full from some moment on."""

    full = False

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        if self.full:
            raise StorageError("database or disk is full", where="trainshed.db", remedy="make room")
        with super().transaction() as tx:
            yield tx


def test_a_message_that_was_heard_and_cannot_be_noted_is_not_sent_again_at_once(tmp_path: Path) -> None:
    """The thread woke itself after each try: a disk that filled in between had a channel flooded."""
    record = Filling.open(Home(tmp_path), system_clock)
    assert isinstance(record, Filling)
    with receiving() as receiver:
        channels = {"ops": {"kind": "webhook", "url": receiver.url}}
        project = Project.model_validate(
            {"project": {"name": "shop"}, "alerts": {"channels": channels, "gather": "0s"}}
        )
        drift = Finding(kind="drift", subject="c", severity="warning", title="c has drifted", reason="PSI 0.3")
        with record.transaction() as tx:
            alerts.observe(tx, "monitor:late", [drift], tx.now, covered={}, policy=project.alerts.policy)

        def heard(_: object) -> Reply:
            record.full = True
            time.sleep(0.01)
            record.full = len(receiver.got) < 5  # it is noted at last, so that the test ends without the mend, too
            return Reply(b"taken")

        receiver.answer = heard
        notifier = Notifier(record, lambda: project, system_clock)
        notifier.start()
        time.sleep(3)
        notifier.stop()
        assert len(receiver.got) == 1
    record.close()
