"""Findings become alerts in the record, with their history and what is to be told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from sqlmodel import select

from store import alerts, changes, events
from store.engine import Record
from store.errors import Conflict, NotFound
from store.findings import Finding, Policy
from store.tables import Alert, Notification
from store.words import AlertSeverity
from tests.unit.alerts.conftest import HandClock

DRIFT = Finding(
    kind="drift",
    subject="column distance",
    severity="warning",
    title="distance has drifted",
    reason="PSI 0.31 in two of the last three windows; 0.2 is the limit",
    evidence={"psi": 0.31},
    suggestion="trainshed drift late --column distance",
    model="late",
)
ROUTES: Mapping[str, tuple[AlertSeverity, ...]] = {"ops": ("warning", "critical"), "pager": ("critical",)}
POLICY = Policy(channels=ROUTES)
SOURCE = "monitor:late"


def look(record: Record, clock: HandClock, *findings: Finding, policy: Policy = POLICY) -> list[int]:
    with record.transaction() as tx:
        return alerts.observe(tx, SOURCE, findings, clock.us, 7, covered={"drift": None}, policy=policy)


def rows(record: Record) -> list[Alert]:
    with record.read() as session:
        return list(session.exec(select(Alert).order_by(Alert.id)))  # type: ignore[arg-type]


def outbox(record: Record) -> Sequence[tuple[str, str]]:
    with record.read() as session:
        return [(row.channel, row.what) for row in session.exec(select(Notification))]


def told(record: Record) -> list[str]:
    with record.read() as session:
        return [event.kind for event in reversed(events.list_events(session, kind="alert").items)]


def test_what_is_found_opens_an_alert_once_however_often_it_is_found(record: Record, clock: HandClock) -> None:
    first = look(record, clock, DRIFT)
    clock.later(hours=1)
    assert look(record, clock, DRIFT) == first
    (row,) = rows(record)
    assert (row.state, row.seen, row.report, row.seen_at) == ("open", 2, 7, clock.us)
    assert outbox(record) == [("ops", "opened")]
    assert told(record) == ["alert.opened"]


def test_what_is_no_longer_found_is_over_and_its_end_is_told_once_it_has_lasted(
    record: Record, clock: HandClock
) -> None:
    look(record, clock, DRIFT)
    ended = clock.later(hours=1)
    look(record, clock)
    (row,) = rows(record)
    assert (row.state, row.resolved_at, row.resolved_by, row.why) == (
        "resolved",
        ended,
        "daemon",
        "it is no longer found",
    )
    with record.read() as session:
        due = {one.what: one.due_at for one in session.exec(select(Notification))}
    assert due["resolved"] == ended + POLICY.settle_us
    assert told(record) == ["alert.opened", "alert.resolved"]


def test_what_a_look_could_not_have_found_is_not_over(record: Record, clock: HandClock) -> None:
    look(record, clock, DRIFT)
    with record.transaction() as tx:
        alerts.observe(
            tx, SOURCE, [], clock.us, covered={"performance": None, "drift": ["column carrier"]}, policy=POLICY
        )
        alerts.observe(tx, "monitor:other", [], clock.us, covered={"drift": None}, policy=POLICY)
    assert [row.state for row in rows(record)] == ["open"]


def test_a_finding_that_comes_and_goes_for_a_day_is_one_alert_and_one_message(record: Record, clock: HandClock) -> None:
    for hour in range(23):
        look(record, clock, *([DRIFT] if hour % 2 == 0 else []))
        clock.later(hours=1)
    (row,) = rows(record)
    assert (row.state, row.reopened) == ("open", 11)
    assert outbox(record) == [("ops", "opened")]


@pytest.mark.slow
def test_one_that_nobody_knows_of_is_told_again_once_in_each_repeat(record: Record, clock: HandClock) -> None:
    for _ in range(24 * 3 + 1):
        look(record, clock, DRIFT)
        clock.later(hours=1)
    assert [what for _, what in outbox(record)] == ["opened", "again", "again", "again"]


@pytest.mark.slow
def test_one_that_somebody_knows_of_is_not_told_again_unless_it_becomes_worse(record: Record, clock: HandClock) -> None:
    (number,) = look(record, clock, DRIFT)
    with record.transaction() as tx:
        alerts.acknowledge(tx, number, "ada", "the new route; being looked at")
    for _ in range(30):
        clock.later(hours=1)
        look(record, clock, DRIFT)
    (row,) = rows(record)
    assert (row.state, row.acknowledged_by, row.note) == ("acknowledged", "ada", "the new route; being looked at")
    assert outbox(record) == [("ops", "opened")]

    look(record, clock, replace(DRIFT, severity="critical", reason="PSI 0.9"))
    (row,) = rows(record)
    assert (row.state, row.severity, row.acknowledged_by) == ("open", "critical", None)
    assert outbox(record) == [("ops", "opened"), ("ops", "escalated"), ("pager", "escalated")]


def test_one_that_somebody_called_over_and_is_still_found_is_told_at_once(record: Record, clock: HandClock) -> None:
    (number,) = look(record, clock, DRIFT)
    with record.transaction() as tx:
        view = alerts.resolve(tx, number, "ada", "retrained", POLICY)
    assert (view.state, view.resolved_by, view.why) == ("resolved", "ada", "retrained")
    clock.later(hours=1)
    assert look(record, clock, DRIFT) == [number]
    assert [what for _, what in outbox(record)] == ["opened", "opened"]
    assert told(record) == ["alert.opened", "alert.resolved", "alert.reopened"]


def test_one_that_comes_back_after_it_has_settled_is_another(record: Record, clock: HandClock) -> None:
    (first,) = look(record, clock, DRIFT)
    look(record, clock)
    clock.later(hours=3)
    (second,) = look(record, clock, DRIFT)
    assert first != second
    assert [row.state for row in rows(record)] == ["resolved", "open"]


def test_a_transaction_that_fails_leaves_neither_alert_nor_message(record: Record, clock: HandClock) -> None:
    def broken() -> None:
        with record.transaction() as tx:
            alerts.observe(tx, SOURCE, [DRIFT], clock.us, covered={}, policy=POLICY)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        broken()
    assert rows(record) == []
    assert outbox(record) == []
    assert told(record) == []


def test_a_change_of_an_alert_is_news(record: Record, clock: HandClock) -> None:
    before = record.revision
    (number,) = look(record, clock, DRIFT)
    with record.read() as session:
        (view,) = changes.changes_since(session, before, clock.us).alerts
    assert (view.id, view.state, view.evidence) == (number, "open", {"psi": 0.31})
    before = record.revision
    with record.transaction() as tx:
        alerts.acknowledge(tx, number, "ada")
    with record.read() as session:
        assert [view.state for view in changes.changes_since(session, before, clock.us).alerts] == ["acknowledged"]


def test_what_cannot_be_done_says_what_can(record: Record, clock: HandClock) -> None:
    with pytest.raises(NotFound, match="no alert 3"), record.transaction() as tx:
        alerts.acknowledge(tx, 3, "ada")
    (number,) = look(record, clock, DRIFT)
    with record.transaction() as tx:
        alerts.acknowledge(tx, number, "ada")
    with pytest.raises(Conflict, match="acknowledged already, by ada"), record.transaction() as tx:
        alerts.acknowledge(tx, number, "bob")
    with record.transaction() as tx:
        alerts.resolve(tx, number, "ada", "", POLICY)
    with pytest.raises(Conflict, match="was resolved at"), record.transaction() as tx:
        alerts.resolve(tx, number, "bob", "", POLICY)


def test_alerts_are_listed_newest_first_in_pages(record: Record, clock: HandClock) -> None:
    found = [replace(DRIFT, subject=f"column c{number}") for number in range(5)]
    look(record, clock, *found)
    look(record, clock, *found[1:])
    with record.read() as session:
        first = alerts.list_alerts(session, states=["open"], model="late", limit=3)
        rest = alerts.list_alerts(session, states=["open"], model="late", limit=3, after=first.next)
        assert [view.id for view in [*first.items, *rest.items]] == [5, 4, 3, 2]
        assert alerts.list_alerts(session, states=["open"], model="other").items == []
        assert [row.id for row in alerts.unresolved(session, limit=10)] == [5, 4, 3, 2]
