"""Runs that were removed because they were old: what is still known of them, for whoever refers to one."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from sqlalchemy import func
from sqlmodel import Session, col, select

from store.errors import Removed
from store.tables import RemovedRun
from store.times import from_us

_REMEDY: Final = (
    "what stays, and for how long, is said by `trainshed prune --dry-run`; a backup of that time may have it"
)


def removed_run(session: Session, run: int) -> RemovedRun | None:
    return session.get(RemovedRun, run)


def refuse_removed(session: Session, run: int) -> None:
    """Raises Removed for a run that was removed."""
    row = removed_run(session, run)
    if row is not None:
        raise Removed(f"run {run} {told(row)}", remedy=_REMEDY)


def told(row: RemovedRun) -> str:
    """Without its name: "(train:late, succeeded on 2025-03-01) was removed on 2026-03-02 by retention"."""
    ended = f"{row.job}, {row.state.replace('_', ' ')} on {from_us(row.ended_at):%Y-%m-%d}"
    return f"({ended}) was removed on {from_us(row.removed_at):%Y-%m-%d} by retention"


def times_taken(session: Session, schedules: Collection[str], start: int, end: int) -> list[RemovedRun]:
    """Of nominal times (µs) in [start, end) of these schedules, the runs that were removed."""
    query = select(RemovedRun).where(
        col(RemovedRun.schedule).in_(schedules),
        col(RemovedRun.scheduled_for) >= start,
        col(RemovedRun.scheduled_for) < end,
    )
    return list(session.exec(query))


def unended_then(session: Session, at: int) -> int:
    """How many of the removed had been asked for by a time (µs) and had not ended for good."""
    query = select(func.count()).where(col(RemovedRun.created_at) <= at, col(RemovedRun.ended_at) > at)
    return session.exec(query).one()
