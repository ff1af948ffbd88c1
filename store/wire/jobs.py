"""Jobs with their last runs, the queue in its order, schedules with their times, and backfills."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, Field

from store.wire.base import Wire
from store.wire.runs import RunView
from store.wire.schedules import ScheduleView
from store.words import JobKind, RunState


class PastRun(Wire):
    """A run in a strip of many."""

    id: int
    state: RunState
    took_seconds: float | None
    """First start to end; None while it goes on, or when it never began."""
    at: datetime
    """Of its end; else of its start; else of its order."""
    reason: str


class JobView(Wire):
    name: str
    kind: JobKind
    target: str
    upstream: list[str]
    pool: str
    last: RunView | None = None
    history: list[PastRun] = []
    """The last 30, newest first."""
    expected_seconds: float | None = None
    """Median of its last ten successes."""
    schedules: list[str] = []
    """Those that ask for it."""


WaitKind = Literal["upstream", "time", "line", "room"]
"""For runs before it to end well; for its time; for an earlier run of its schedule; for a free slot, GPU or disk."""


class QueuedView(Wire):
    """A run in the queue."""

    place: int
    """In the order of service, from 1."""
    run: RunView
    wait: WaitKind
    why: str
    """What it waits for, in a sentence."""
    waited_seconds: float
    """Since it was asked for, its time had come, and what it builds upon had ended."""


class QueueView(Wire):
    waiting: list[QueuedView]
    """In the order in which they are served."""
    total: int
    """All that wait, those that are not in this answer included."""
    running: list[RunView]


class TimetableView(Wire):
    """A schedule, the times to come, and what became of the last ones."""

    schedule: ScheduleView
    coming: list[datetime]
    expected_seconds: float | None
    """Of its job, see `JobView`."""
    runs: list[PastRun]
    """Of its last times, newest first."""


class BackfillTime(Wire):
    at: datetime
    run: int | None
    """The run that this time has already."""
    state: RunState | None


class BackfillPlan(Wire):
    """What a backfill would do: which of a schedule's times from `start` up to `end` have no run yet."""

    schedule: str
    job: str
    start: datetime
    end: datetime
    """Not included; never after now."""
    times: list[BackfillTime]
    """Oldest first: those that have a run, and up to `limit` that have none."""
    new: int
    """Runs that would be queued."""
    left: int
    """Times without a run beyond `limit`: ask again for them."""
    token: str
    """Binds a backfill to this plan: to the times without a run, and to what would run for them."""


class BackfillRequest(Wire):
    start: AwareDatetime
    end: AwareDatetime
    limit: int = Field(default=100, ge=1, le=500, description="Queue at most so many runs; ask again for the rest.")
    token: str | None = Field(default=None, description="Of the plan that was shown; a stale one is refused.")


class BackfillDone(Wire):
    plan: BackfillPlan
    runs: list[int]
    """The new runs, oldest time first."""
