"""Backfill: runs for times of a schedule that have passed without one. Carried out twice, it adds nothing.

The runs carry the nominal time that they stand for and wait behind everything that is due now.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, cast

from sqlmodel import Session, col, select

from daemon.orders import Order, new_runs
from daemon.timetable import next_time
from pipeline.config.jobs import Job
from store import events, queue
from store.engine import Transaction
from store.errors import Conflict, Refused
from store.removed import times_taken
from store.schedules import get_schedule
from store.tables import Run, Schedule
from store.times import from_us, to_us
from store.wire import BackfillDone, BackfillPlan, BackfillRequest, BackfillTime
from store.words import RunState

MOST_TIMES: Final = 5_000
"""Times of a schedule in one plan."""
BEHIND: Final = -1
"""Priority against the job's own: what is due now goes first."""


def plan(session: Session, name: str, request: BackfillRequest, now: int) -> BackfillPlan:
    """What it would do. Raises NotFound, Refused for a span without an end or with too many times."""
    row = get_schedule(session, name)
    end = min(request.end, from_us(now))
    if request.start >= end:
        raise Refused(
            f"there is nothing between {request.start.isoformat()} and {end.isoformat()}",
            where=f"schedule {name}",
            remedy="name a start before the end, and before now: what is to come is the schedule's own affair",
        )
    taken = _taken(session, name, request.start, end)
    times: list[BackfillTime] = []
    new = left = 0
    for at in _times(row, request.start, end):
        run, state = taken.get(to_us(at), (None, None))
        if run is None and new == request.limit:
            left += 1
            continue
        new += run is None
        times.append(BackfillTime(at=at, run=run, state=state))
    return BackfillPlan(
        schedule=name,
        job=row.job,
        start=request.start,
        end=end,
        times=times,
        new=new,
        left=left,
        token=_token(row, times),
    )


def _token(row: Schedule, times: Sequence[BackfillTime]) -> str:
    """Of what would be queued."""
    wanted = [to_us(time.at) for time in times if time.run is None]
    text = json.dumps([row.name, row.job, row.params, row.upstream, wanted], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def backfill(tx: Transaction, jobs: Mapping[str, Job], name: str, request: BackfillRequest, actor: str) -> BackfillDone:
    """Queues a run for each time of the plan that has none.

    Raises NotFound, Refused, Conflict when it cannot run, or when `request.token` is of a plan that no longer holds.
    """
    row = get_schedule(tx.session, name)
    if row.broken or row.job not in jobs:
        raise Conflict(
            f"schedule {name} cannot run: {row.broken or f'the project has no job {row.job}'}",
            where=f"schedule {name}",
            remedy="mend trainshed.toml, then `trainshed reload`",
        )
    planned = plan(tx.session, name, request, tx.now)
    if request.token not in (None, planned.token):
        raise Conflict(
            f"the plan that was shown does not hold any more: {planned.new} times of {name} would get a run now",
            where=f"schedule {name}",
            remedy="look at the plan again: some of its times have got a run meanwhile, or the schedule was changed",
        )
    wanted = [new_runs(jobs, _order(row, time.at, actor)) for time in planned.times if time.run is None]
    runs = [ids[-1] for ids in queue.submit_all(tx, wanted)]
    if runs:
        _tell(tx, planned, runs, actor)
    return BackfillDone(plan=planned, runs=runs)


def _times(row: Schedule, start: datetime, end: datetime) -> list[datetime]:
    """The schedule's nominal times in [start, end). Raises Refused."""
    found: list[datetime] = []
    upcoming = next_time(row.spec, row.timezone, start - timedelta(microseconds=1))
    while upcoming is not None and upcoming < end:
        if len(found) == MOST_TIMES:
            raise Refused(
                f"schedule {row.name} has more than {MOST_TIMES:,} times between {start.isoformat()} and "
                f"{end.isoformat()}",
                where=f"schedule {row.name}",
                remedy=f"take a shorter span: the last of these times is {found[-1].isoformat()}",
            )
        found.append(upcoming)
        upcoming = next_time(row.spec, row.timezone, upcoming)
    return found


def _taken(session: Session, name: str, start: datetime, end: datetime) -> dict[int, tuple[int, RunState]]:
    """Nominal time (µs) → the run that it has, or had before that was removed."""
    query = select(Run.scheduled_for, Run.id, Run.state).where(
        Run.schedule == name, col(Run.scheduled_for) >= to_us(start), col(Run.scheduled_for) < to_us(end)
    )
    gone = times_taken(session, [name], to_us(start), to_us(end))
    rows = [*((row.scheduled_for, row.id, row.state) for row in gone), *session.exec(query)]
    return {at: (run, cast(RunState, state)) for at, run, state in rows if at is not None and run is not None}


def _order(row: Schedule, at: datetime, actor: str) -> Order:
    return Order(
        job=row.job,
        trigger="backfill",
        actor=actor,
        params=row.params,
        upstream=row.upstream,
        priority=BEHIND,
        schedule=row.name,
        scheduled_for=to_us(at),
    )


def _tell(tx: Transaction, planned: BackfillPlan, runs: list[int], actor: str) -> None:
    times = [time.at for time in planned.times if time.run is None]
    events.append(
        tx,
        actor=actor,
        kind="schedule.backfilled",
        subject=f"schedule {planned.schedule}",
        message=f"{actor} has schedule {planned.schedule} make up for {len(runs)} of its times, "
        f"{times[0]:%Y-%m-%d %H:%M} to {times[-1]:%Y-%m-%d %H:%M} UTC",
        data={"first": times[0].isoformat(), "last": times[-1].isoformat(), "runs": runs, "left": planned.left},
    )
