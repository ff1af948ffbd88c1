"""Why a run waits: a pure judgement over its row and the line in which it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlmodel import Session

from store import queue, runs
from store.queue import Line, Stand
from store.tables import Run
from store.times import SECOND, from_us
from store.wire import QueuedView, WaitKind

_NO_UPSTREAM: Final = 0


@dataclass(frozen=True)
class Around:
    """What is known beside the row of a run."""

    now: int
    """Microseconds since 1970 UTC, as are all times here."""
    first: Mapping[Line, int]
    """Line → the run that is at its head."""
    stands: Mapping[int, Stand]
    """Run → where it stands in line."""
    upstream: Mapping[int, int | None]
    """Run → when the last run that it depends on ended; None while one has not."""
    degraded: str | None
    """Why no run is started at all."""


def waiting(session: Session, now: int, limit: int, degraded: str | None) -> list[QueuedView]:
    """The head of the queue, in the order of service."""
    rows = queue.in_order(session, limit)
    known = [row.id for row in rows if row.id is not None]
    upstream = queue.upstream_ends(session, known)
    around = Around(now, queue.first_of_schedules(session), queue.stands(session, known), upstream, degraded)
    return [
        QueuedView(
            place=place,
            run=runs.run_view(row, now),
            wait=kind_of_wait(row, around),
            why=why_waiting(row, around),
            waited_seconds=waited_seconds(row, around),
        )
        for place, row in enumerate(rows, start=1)
    ]


def kind_of_wait(run: Run, around: Around) -> WaitKind:
    if around.upstream.get(run.id or 0, _NO_UPSTREAM) is None:
        return "upstream"
    if run.not_before is not None and run.not_before > around.now:
        return "time"
    return "room" if around.stands[run.id or 0].is_next(around.first) else "line"


def why_waiting(run: Run, around: Around) -> str:
    """In a sentence: what was written down for it, or else what follows from its place."""
    if run.reason:
        return run.reason
    match kind_of_wait(run, around):
        case "time":
            return f"it is to start at {from_us(run.not_before or 0):%Y-%m-%d %H:%M:%S} UTC"
        case "line":
            stand = around.stands[run.id or 0]
            before = around.first[stand.line]
            return f"waits for run {before}: the runs of schedule {stand.schedule} go one after another"
        case "upstream":
            return "waits for the runs that it builds upon"
        case "room":
            return f"no run is started: {around.degraded}" if around.degraded else "starts next"


def waited_seconds(run: Run, around: Around) -> float:
    """Since it was asked for, its time had come, and what it builds upon had ended."""
    ended = around.upstream.get(run.id or 0, _NO_UPSTREAM)
    since = max(run.created_at, run.not_before or 0, ended or 0)
    return max(0, around.now - since) / SECOND
