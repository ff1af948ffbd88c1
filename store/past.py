"""Runs as they were at a moment. A row says how its run is now; the last event up to the moment says how it was then.

A row whose run had ended by then needs no event: who has an ended run tried again takes its end away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, cast

from sqlalchemy import func
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from store.runs import run_view
from store.tables import Event, Run
from store.times import from_us
from store.wire import RunView
from store.words import ACTIVE, ENDED, RunState

_STATES: Final = tuple(f"run.{state}" for state in sorted({"queued", "retry", *ACTIVE, *ENDED}))
"""Kinds of events that change a run's state; the new one is `data["to"]`."""


def newest_run(session: Session, at: int) -> int:
    """The last that had been asked for by a time (µs); ids are given out in that order. 0: none."""
    newest = select(Run.id).where(col(Run.created_at) <= at).order_by(col(Run.created_at).desc(), col(Run.id).desc())
    return session.exec(newest.limit(1)).first() or 0


def state_events(runs: Sequence[int], at: int) -> SelectOfScalar[Event]:
    """Changes of state of these runs up to a time, oldest first."""
    subjects = [f"run {run}" for run in runs]
    return (
        select(Event)
        .where(col(Event.subject).in_(subjects), col(Event.created_at) <= at, col(Event.kind).in_(_STATES))
        .order_by(col(Event.id))
    )


def last_changes(session: Session, runs: Sequence[int], at: int) -> dict[int, Event]:
    """Run → the event that brought it into the state in which it was; without those that nothing is told of."""
    last = {event.subject: event for event in session.exec(state_events(runs, at))} if runs else {}
    return {run: last[f"run {run}"] for run in runs if f"run {run}" in last}


def runs_then(session: Session, rows: Iterable[Run], at: int) -> list[RunView]:
    """As they were; without those that nobody had asked for yet."""
    there = [row for row in rows if row.created_at <= at]
    changed = last_changes(session, [cast(int, row.id) for row in there if not ended_by(row, at)], at)
    return [run_then(row, changed.get(cast(int, row.id)), at) for row in there]


def ended_by(row: Run, at: int) -> bool:
    """For good: nobody has it tried again later."""
    return row.ended_at is not None and row.ended_at <= at


def run_then(row: Run, changed: Event | None, at: int) -> RunView:
    """`changed`: the event that brought it into its state. How far it was, and a fault that was mended, is not kept."""
    if ended_by(row, at):
        return run_view(row, at)
    state: RunState = "queued" if changed is None else cast(RunState, changed.data["to"])
    return run_view(row, at).model_copy(
        update={
            **dict.fromkeys(("fault", "not_before", "done", "total", "eta_seconds")),
            **dict.fromkeys(("message", "unit"), ""),
            "state": state,
            "reason": "" if changed is None else str(changed.data.get("reason", "")),
            "attempt": 0 if changed is None else int(changed.data.get("attempt", 0)),
            "started_at": from_us(row.started_at) if row.started_at is not None and row.started_at <= at else None,
            "ended_at": from_us(changed.created_at) if changed is not None and state in ENDED else None,
            "stalled": False,
        }
    )


def newest_of_jobs(session: Session, jobs: Iterable[str], at: int) -> list[Run]:
    """Each job's last run by then. One search of an index for the time, one for each job."""
    newest = newest_run(session, at)
    found = [session.exec(select(func.max(Run.id)).where(Run.job == job, col(Run.id) <= newest)).one() for job in jobs]
    return list(session.exec(select(Run).where(col(Run.id).in_([run for run in found if run is not None]))))


def last_by(at: int, last: int, look: Callable[[int], tuple[int, int] | None]) -> int | None:
    """The last number, up to `last`, of what was there by a time (µs), where numbers grow with time: by halving.

    `look(n)`: the highest number up to n, and its time; None where there is none.
    """
    low, high = -1, last
    while low < high:
        middle = (low + high + 1) // 2
        seen = look(middle)
        if seen is None or seen[1] <= at:
            low = middle
        else:
            high = seen[0] - 1
    found = look(low) if low >= 0 else None
    return None if found is None else found[0]
