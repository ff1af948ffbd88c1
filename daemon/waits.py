"""Why a run waits: a pure judgement over its row and the line in which it stands."""

from __future__ import annotations

from collections.abc import Mapping

from store.queue import Line, line_of
from store.tables import Run
from store.times import SECOND, from_us


def why_waiting(run: Run, now: int, first: Mapping[Line, int], degraded: str | None) -> str:
    """In a sentence. `now`: µs; `first`: from `queue.first_of_schedules`; `degraded`: why no run is started."""
    before = first.get(line_of(run), run.id)
    if run.reason:
        return run.reason
    if run.not_before is not None and run.not_before > now:
        return f"it is to start at {from_us(run.not_before):%Y-%m-%d %H:%M:%S} UTC"
    if before != run.id:
        return f"waits for run {before}: the runs of schedule {run.schedule} go one after another"
    return f"no run is started: {degraded}" if degraded else "starts next"


def waited_seconds(run: Run, now: int) -> float:
    """Since it could have started: it was asked for, and its time had come."""
    since = max(run.created_at, run.not_before or 0)
    return max(0, now - since) / SECOND
