"""Schedules as they stood at a moment, from what the history tells of each: whether it was there, paused or broken.

What one is (its job, its times, its zone) is as now: the project file of then is not kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import func
from sqlmodel import Session, col, select

from store.past import newest_run
from store.schedules import GONE, schedule_view
from store.tables import Event, Run, Schedule
from store.times import from_us
from store.wire import ScheduleView
from store.words import GOOD

_PAUSES: Final = frozenset({"schedule.paused", "schedule.resumed"})
_FAULTS: Final = frozenset({"schedule.added", "schedule.gone", "schedule.broken", "schedule.mended"})
_LOOKED_AT: Final = 60
"""Newest runs of a schedule, for how many failed in a row."""
_RESTS: Final = "it rests: "
"""What comes before the reason, in the events of `store.schedules`."""


def schedules_then(session: Session, rows: Iterable[Schedule], at: int) -> list[ScheduleView]:
    """Those that there were at a time (µs), without the time that was next."""
    rows = list(rows)
    told = _told(session, [row.name for row in rows])
    there = [row for row in rows if not told[row.name] or told[row.name][0].created_at <= at]
    return [_then(session, row, [event for event in told[row.name] if event.created_at <= at], at) for row in there]


def _told(session: Session, names: Sequence[str]) -> dict[str, list[Event]]:
    """What became of each, oldest first."""
    found: dict[str, list[Event]] = {name: [] for name in names}
    subjects = [f"schedule {name}" for name in names]
    for event in session.exec(select(Event).where(col(Event.subject).in_(subjects)).order_by(col(Event.id))):
        if event.kind in _PAUSES | _FAULTS:
            found[event.subject.removeprefix("schedule ")].append(event)
    return found


def _then(session: Session, row: Schedule, told: Sequence[Event], at: int) -> ScheduleView:
    pauses = [event for event in told if event.kind in _PAUSES]
    faults = [event for event in told if event.kind in _FAULTS]
    paused = bool(pauses) and pauses[-1].kind == "schedule.paused"
    last = select(func.max(Run.scheduled_for)).where(Run.schedule == row.name, Run.trigger == "schedule")
    last_at = session.exec(last.where(col(Run.scheduled_for) <= at)).one()
    resumed = max((event.created_at for event in pauses if event.kind == "schedule.resumed"), default=0)
    return schedule_view(row).model_copy(
        update={
            "enabled": not paused,
            "paused_reason": pauses[-1].message.partition(" is paused: ")[2] if paused else "",
            "broken": _fault(faults[-1]) if faults else "",
            "failures": _failures(session, row.name, resumed, at),
            "next_at": None,
            "last_at": from_us(last_at),
        }
    )


def _fault(event: Event) -> str:
    """Why it could not run after this event; empty if it could."""
    return GONE if event.kind == "schedule.gone" else event.message.partition(_RESTS)[2]


def _failures(session: Session, name: str, resumed: int, at: int) -> int:
    """In a row, up to the last that had ended; as `store.schedules.run_ended` counts them."""
    query = select(Run.state, Run.ended_at).where(
        Run.schedule == name, Run.trigger == "schedule", col(Run.id) <= newest_run(session, at)
    )
    newest = session.exec(query.order_by(col(Run.id).desc()).limit(_LOOKED_AT)).all()
    ended = [(when, state) for state, when in newest if when is not None and resumed < when <= at]
    counted = [state for _, state in sorted(ended, reverse=True) if state != "cancelled"]
    return next((number for number, state in enumerate(counted) if state in GOOD), len(counted))
