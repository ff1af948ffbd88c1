"""What is known of a monitor or a channel that the project has no more."""

from __future__ import annotations

from typing import Any

from daemon.definitions import sync
from pipeline.config import Project
from store import alerts
from store.engine import Record
from store.findings import Finding, Policy
from store.words import AlertKind
from tests.unit.alerts.conftest import HandClock

CHANNELS = {"ops": {"kind": "command", "command": ["true"]}, "post": {"kind": "command", "command": ["true"]}}


def found(record: Record, source: str, kind: AlertKind, subject: str) -> None:
    one = Finding(kind=kind, subject=subject, severity="warning", title=subject, reason="so it is")
    with record.transaction() as tx:
        alerts.observe(tx, source, [one], tx.now, covered={}, policy=Policy())


def left(record: Record, project: dict[str, Any]) -> list[str]:
    """What is not over once the project file says this."""
    with record.transaction() as tx:
        sync(tx, Project.model_validate({"project": {"name": "shop"}, **project}), {})
        return sorted(one.subject for one in alerts.unresolved(tx.session, limit=10))


def test_that_a_channel_takes_no_messages_is_over_once_it_is_taken_out(record: Record, clock: HandClock) -> None:
    """It stayed until somebody called it over: no message was ever tried there again."""
    found(record, "channel:ops", "daemon", "channel ops")
    found(record, "channel:ops", "daemon", "given up by channel ops")
    found(record, "channel:post", "daemon", "channel post")
    found(record, "monitor:late", "drift", "distance")
    found(record, "daemon:needs", "daemon", "queue")
    everything = ["channel ops", "channel post", "given up by channel ops", "queue"]
    assert left(record, {"alerts": {"channels": CHANNELS}}) == everything
    with record.read() as session:
        assert alerts.get(session, 4).why == "the project has no monitor late any more"
    assert left(record, {"alerts": {"channels": {"post": CHANNELS["post"]}}}) == everything[1:]
    with record.read() as session:
        assert alerts.get(session, 1).why == "the project has no channel ops any more"
