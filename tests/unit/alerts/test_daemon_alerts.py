"""What the daemon sees by itself: which needs are alerts, how the one before ended, and its pings while it is well."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from daemon.daemonalerts import LIFE, NEEDS, covered_by, findings_of, of_death
from daemon.heartbeat import Heartbeat
from daemon.watchman import Watchman
from pipeline.config import Project
from pipeline.config.alerts import AlertsSection, HeartbeatSection
from store import alerts, alive, events
from store.engine import Record
from store.tables import Alert
from store.wire import NeedTarget, NeedView, RunView
from tests.unit.alerts.conftest import HandClock
from tests.unit.alerts.receiver import Receiver, receiving
from tests.webserver import Reply

AT = datetime(2026, 3, 2, 11, tzinfo=UTC)


def need(kind: str, name: str = "", severity: str = "fail", number: int | None = None, **more: Any) -> NeedView:
    target = NeedTarget.model_validate({"kind": kind, "name": name, "number": number})
    usual = {"subject": f"{kind} {name}".strip(), "message": "it is bad: very", "command": "trainshed doctor"}
    return NeedView.model_validate({**usual, "severity": severity, "action": "look", "target": target, **more})


def run(number: int, job: str, state: str = "failed", trigger: str = "schedule") -> RunView:
    kind, _, target = job.partition(":")
    known = {"id": number, "job": job, "kind": kind, "target": target, "state": state, "trigger": trigger}
    other = {"actor": "daemon", "priority": 0, "pool": "default", "attempt": 1, "max_attempts": 1, "rev": 1}
    return RunView.model_validate({**known, **other, "created_at": AT})


def test_what_stops_work_or_serving_is_critical_and_a_failed_scheduled_run_a_warning() -> None:
    found = findings_of(
        [
            need("daemon", subject="daemon", message="the disk is full"),
            need("run", "etl:orders", number=3, message="etl:orders failed: no file"),
            need("schedule", "nightly"),
            need("queue", severity="warn"),
            need("job", "etl:orders", severity="warn"),
        ],
        [run(3, "etl:orders")],
    )
    assert [(one.kind, one.subject, one.severity, one.title, one.reason) for one in found] == [
        ("daemon", "daemon", "critical", "the disk is full", "the disk is full"),
        ("run", "etl:orders", "warning", "etl:orders failed", "no file"),
        ("daemon", "schedule nightly", "critical", "it is bad", "very"),
        ("daemon", "queue", "warning", "it is bad", "very"),
        ("freshness", "etl:orders", "warning", "it is bad", "very"),
    ]


def test_what_somebody_runs_by_hand_what_waits_for_a_decision_and_alerts_themselves_are_none() -> None:
    needs = [
        need("run", "train:late", number=4),
        need("version", "late", severity="note", number=2),
        need("alert", "late", number=1),
        need("dataset", "orders"),
    ]
    assert findings_of(needs, [run(4, "train:late", trigger="manual")]) == []


def test_a_job_that_runs_again_is_neither_well_nor_ill() -> None:
    last = [run(5, "etl:a", "running"), run(6, "etl:b", "succeeded"), run(7, "etl:c", "queued")]
    assert covered_by(last)["run"] == ["etl:b"]


class Watch:
    """A watchman who sees what a test shows him."""

    def __init__(self, record: Record, clock: HandClock) -> None:
        channel = {"kind": "command", "command": ["true"]}
        self.settings = AlertsSection.model_validate({"channels": {"ops": channel}})
        self.needs: list[NeedView] = []
        self.last = [run(3, "etl:orders")]
        self.draining = False
        self.record, self.clock = record, clock
        self.watchman = Watchman(record, lambda: self.settings, self._see, clock)

    def _see(self) -> tuple[list[NeedView], list[RunView]] | None:
        return None if self.draining else (self.needs, self.last)

    def look(self, *needs: NeedView) -> list[tuple[str, str]]:
        """The alerts after a look half a minute later."""
        self.needs = list(needs)
        self.clock.later(seconds=30)
        self.watchman.look()
        with self.record.read() as session:
            return [(row.subject, row.state) for row in session.exec(select(Alert).where(Alert.source == NEEDS))]


FAILED = need("run", "etl:orders", number=3, message="etl:orders failed: no file")


def test_a_fault_is_an_alert_once_two_looks_have_seen_it(record: Record, clock: HandClock) -> None:
    watch = Watch(record, clock)
    assert watch.look(FAILED) == []
    assert watch.look() == []
    assert watch.look(FAILED) == []
    assert watch.look(FAILED) == [("etl:orders", "open")]
    watch.last = [run(4, "etl:orders", "running")]
    assert watch.look() == [("etl:orders", "open")], "it may fail again"
    watch.last = [run(4, "etl:orders", "succeeded")]
    assert watch.look() == [("etl:orders", "resolved")]


@pytest.mark.slow
def test_a_fault_that_stays_is_no_news_and_a_restarted_daemon_knows_it(record: Record, clock: HandClock) -> None:
    watch = Watch(record, clock)
    watch.look(FAILED)
    watch.look(FAILED)
    rev = record.revision
    for _ in range(10):
        watch.look(FAILED)
    assert record.revision == rev
    watch = Watch(record, clock)
    assert watch.look(FAILED) == [("etl:orders", "open")]
    for _ in range(3000):  # a day, for the reminder
        watch.look(FAILED)
    with record.read() as session:
        row = session.exec(select(Alert)).one()
    assert clock.us - row.told_at < 2 * 3_600_000_000


def test_without_a_channel_nothing_is_made_and_what_was_is_over(record: Record, clock: HandClock) -> None:
    watch = Watch(record, clock)
    watch.look(FAILED)
    watch.look(FAILED)
    watch.settings = AlertsSection()
    assert watch.look(FAILED) == [("etl:orders", "resolved")]
    assert watch.look(FAILED) == [("etl:orders", "resolved")]


def test_a_daemon_that_drains_is_no_fault(record: Record, clock: HandClock) -> None:
    watch = Watch(record, clock)
    watch.draining = True
    degraded = need("daemon", subject="daemon", message="the daemon is draining")
    assert watch.look(degraded) + watch.look(degraded) == []


# ------------------------------------------------------------------------------------------------------- its own end


def say(record: Record, kind: str) -> None:
    with record.transaction() as tx:
        events.append(tx, actor="daemon", kind=kind, subject="daemon", message=kind)


def test_a_daemon_that_never_said_that_it_stopped_has_died(record: Record, clock: HandClock) -> None:
    def died() -> alive.Died | None:
        with record.read() as session:
            return alive.died(session)

    assert died() is None, "there was none before"
    say(record, "daemon.started")
    started = clock.us
    last = clock.later(minutes=5)
    say(record, "project.reloaded")
    found = died()
    assert found == alive.Died(started, last)
    finding = of_death(found, again=False)
    assert "started at 2026-03-02 12:00:00 UTC" in finding.reason
    assert "last sign of life is of 2026-03-02 12:05:00 UTC" in finding.reason
    assert (finding.severity, of_death(found, again=True).severity) == ("warning", "critical")
    say(record, "daemon.stopped")
    assert died() is None


def test_that_one_had_died_is_over_once_the_next_has_lived_for_a_day(record: Record, clock: HandClock) -> None:
    def state() -> str:
        with record.read() as session:
            return session.exec(select(Alert)).one().state

    watch = Watch(record, clock)
    with record.transaction() as tx:
        found = [of_death(alive.Died(clock.us, clock.us), again=False)]
        alerts.observe(tx, LIFE, found, clock.us, covered={}, policy=watch.settings.policy)
    clock.later(hours=23)
    watch.watchman.live_on()
    assert state() == "open"
    clock.later(hours=1)
    watch.watchman.live_on()
    assert state() == "resolved"


# ------------------------------------------------------------------------------------------------ the dead man's switch


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


def beating(record: Record, receiver: Receiver, unwell: list[str | None]) -> tuple[Heartbeat, HeartbeatSection]:
    settings = HeartbeatSection.model_validate({"url": f"{receiver.url}/alive", "timeout": "1s"})
    project = Project.model_validate({"project": {"name": "shop"}, "alerts": {"heartbeat": settings}})
    return Heartbeat(record, lambda: project, lambda: AT, lambda: unwell[0]), settings


def test_a_daemon_that_is_well_is_heard_and_one_that_only_looks_alive_is_silent(
    record: Record, receiver: Receiver
) -> None:
    unwell: list[str | None] = [None]
    heart, settings = beating(record, receiver, unwell)
    rev = record.revision
    assert heart.beat(settings) is None
    assert (len(receiver.got), record.revision) == (1, rev)
    unwell[0] = "the schedules have not been looked at for 60 s"
    assert heart.beat(settings) == "no ping is sent: the schedules have not been looked at for 60 s"
    assert len(receiver.got) == 1


@pytest.mark.slow
def test_a_record_that_takes_no_commit_silences_it(record: Record, receiver: Receiver) -> None:
    heart, settings = beating(record, receiver, [None])
    other = sqlite3.connect(record.home.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        trouble = heart.beat(settings)
    finally:
        other.execute("ROLLBACK")
        other.close()
    assert trouble is not None
    assert trouble.startswith("no ping is sent: ")
    assert receiver.got == []
    assert heart.beat(settings) is None


def test_an_address_that_refuses_is_told_without_itself(
    record: Record, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    heart, settings = beating(record, receiver, [None])
    receiver.answer = lambda _: Reply(b"unknown check", 404)
    assert heart.beat(settings) == "the ping did not arrive: 404 Not Found: unknown check"
    monkeypatch.delenv("BEAT", raising=False)
    missing = settings.model_copy(update={"url": "env:BEAT"})
    assert heart.beat(missing) == "no ping is sent: env:BEAT: the environment variable BEAT is not set"


def test_it_beats_by_itself_and_ends_when_told(record: Record, receiver: Receiver) -> None:
    heart, settings = beating(record, receiver, [None])
    assert settings.every == timedelta(minutes=1)
    heart.start()
    try:
        for _ in range(100):
            if receiver.got:
                break
            time.sleep(0.05)
    finally:
        heart.stop()
    assert len(receiver.got) == 1
    assert heart.trouble is None
