"""The shed as it stood at a moment: what each alias pointed at and why, which runs ran, which waited.

Nothing is kept for this: moves and events are append-only, so the past is read from them. A run's own row only says how
it is now; the last event before the moment says how it was then. Of runs that were removed since, with their events,
only the number is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, cast

from sqlalchemy import Select, func, union_all
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from store import aliases, removed
from store.past import last_changes
from store.tables import Event, Run
from store.times import from_us
from store.wire import MomentView, RunThenView
from store.words import ACTIVE, RunState, Trigger

MOST: Final = 1000
"""Runs looked at, the newest: more are never unended on one box, but for a queue that nobody drains."""


def moment(session: Session, at: int) -> MomentView:
    """The shed at a time (µs since 1970 UTC). Empty before the first event."""
    then = _runs_then(session, sorted(session.execute(unended_then(at)).scalars())[-MOST:], at)
    return MomentView(
        at=from_us(at),
        aliases=aliases.current(session, at=at),
        running=[run for run in then if run.state in ACTIVE],
        queued=[run for run in then if run.state == "queued"],
        removed=removed.unended_then(session, at),
    )


def step(session: Session, at: int, *, later: bool) -> int | None:
    """The time of the first event after a time, or of the last one before it: one search of an index."""
    if later:
        return session.exec(select(func.min(Event.created_at)).where(col(Event.created_at) > at)).one()
    return session.exec(select(func.max(Event.created_at)).where(col(Event.created_at) < at)).one()


def unended_then(at: int) -> Select[Any]:
    """Ids of runs that existed and had not ended for good: two searches of one index, whatever the number of runs."""
    ended_later = select_columns(col(Run.id)).where(col(Run.ended_at) > at, col(Run.created_at) <= at)
    not_ended = select_columns(col(Run.id)).where(col(Run.ended_at).is_(None), col(Run.created_at) <= at)
    return select_columns(union_all(ended_later, not_ended).subquery())


def _runs_then(session: Session, ids: Sequence[int], at: int) -> list[RunThenView]:
    """As the last event before the time left them, in the order of `ids`; without those that nothing is told of."""
    rows = {row.id: row for row in session.exec(select(Run).where(col(Run.id).in_(ids)))}
    return [_run_then(rows[run], event) for run, event in last_changes(session, ids, at).items()]


def _run_then(row: Run, event: Event) -> RunThenView:
    assert row.id is not None
    return RunThenView(
        id=row.id,
        job=row.job,
        state=cast(RunState, event.data["to"]),
        since=from_us(event.created_at),
        attempt=int(event.data.get("attempt", 0)),
        trigger=cast(Trigger, row.trigger),
        actor=row.actor,
        message=event.message,
        created_at=from_us(row.created_at),
    )
