"""The shed at a moment of the past: from events and moves, not from what the rows say today."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Select

from store import lifecycle, queue
from store.engine import Record
from store.moment import moment, unended_then
from store.past import state_events
from store.queue import NewRun
from store.times import to_us
from store.wire import MomentView
from store.words import RunState


def _submit(record: Record, job: str = "train:late") -> int:
    with record.transaction() as tx:
        return queue.submit(tx, [NewRun(job=job, kind="train", target="late", trigger="manual", actor="ann")])[0]


def _start(record: Record, run: int) -> None:
    with record.transaction() as tx:
        attempt = lifecycle.start_attempt(tx, run, "nonce")
        lifecycle.mark_running(tx, run, attempt.number)


def _end(record: Record, run: int, state: RunState, **options: Any) -> None:
    with record.transaction() as tx:
        lifecycle.settle(tx, run, state, reason="why", **options)


def _then(record: Record, at: datetime) -> MomentView:
    with record.read() as session:
        return moment(session, to_us(at))


def test_what_ran_and_what_waited_then_is_told_whatever_became_of_it(record: Record, clock: Any) -> None:
    first, second = _submit(record), _submit(record)
    clock.forward(60)
    _start(record, first)
    clock.forward(60)
    between = clock.now
    clock.forward(60)
    _end(record, first, "succeeded")
    _start(record, second)
    then = _then(record, between)
    (running,), (queued,) = then.running, then.queued
    assert (running.id, running.state, running.attempt, running.since) == (
        first,
        "running",
        1,
        between - timedelta(seconds=60),
    )
    assert (queued.id, queued.state, queued.actor) == (second, "queued", "ann")
    now = _then(record, clock.now)
    assert ([run.id for run in now.running], now.queued) == ([second], [])
    assert _then(record, datetime(2020, 1, 1, tzinfo=UTC)).running == []


def test_a_run_that_had_failed_then_and_was_tried_again_later_neither_ran_nor_waited(
    record: Record, clock: Any
) -> None:
    run = _submit(record)
    _start(record, run)
    _end(record, run, "failed")
    clock.forward(60)
    between = clock.now
    clock.forward(60)
    with record.transaction() as tx:
        lifecycle.requeue(tx, run, "ann")
    then = _then(record, between)
    assert (then.running, then.queued) == ([], [])
    assert [one.id for one in _then(record, clock.now).queued] == [run]


def test_between_two_attempts_a_run_waits(record: Record, clock: Any) -> None:
    run = _submit(record)
    _start(record, run)
    _end(record, run, "failed", retry_at=to_us(clock.now + timedelta(minutes=5)))
    clock.forward(60)
    between = clock.now
    clock.forward(600)
    _start(record, run)
    (waits,) = _then(record, between).queued
    assert (waits.id, waits.attempt) == (run, 1)
    assert "the next one at" in waits.message


@pytest.mark.parametrize(
    ("query", "indexes"),
    [(unended_then(5), {"run_span"}), (state_events([1, 2], 5), {"ix_event_subject"})],
)
def test_the_past_is_looked_up_in_indexes(record: Record, query: Select[Any], indexes: set[str]) -> None:
    """With a million runs and their events, a scan would be felt at each key press of a replay."""
    with record.read() as session:
        text = query.compile(session.connection(), compile_kwargs={"literal_binds": True})
        plan = [row[3] for row in session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {text}")]
    assert not [step for step in plan if step.startswith(("SCAN run", "SCAN event"))], plan
    used = {word for step in plan for word in step.split() if "_" in word}
    assert indexes <= used, plan
