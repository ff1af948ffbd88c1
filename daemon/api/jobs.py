"""`/v1/jobs`, `/v1/queue`, `/v1/timetable`: what can run, what waits and why, what comes when."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from daemon.api.schedules import coming
from daemon.api.shed import After, Here, Limit
from daemon.waits import waiting
from store import jobruns, queue, runs, schedules
from store.keyset import page
from store.wire import JobView, Page, QueueView, TimetableView

router = APIRouter(tags=["runs"])


@router.get("/jobs")
def jobs(shed: Here) -> Page[JobView]:
    """What the project defines that can run: each one's last runs, and how long the next one will take."""
    defined = shed.daemon.jobs
    asking: dict[str, list[str]] = {}
    with shed.daemon.record.read() as session:
        last = runs.last_runs(session, shed.now, defined)
        history = jobruns.strips(session, defined)
        expected = jobruns.expected_seconds(session, defined)
        for schedule in schedules.list_schedules(session):
            asking.setdefault(schedule.job, []).append(schedule.name)
    return Page(
        items=[
            JobView(
                name=job.name,
                kind=job.kind,
                target=job.target,
                upstream=list(job.upstream),
                pool=job.settings.pool,
                last=last.get(job.name),
                history=history.get(job.name, []),
                expected_seconds=expected.get(job.name),
                schedules=asking.get(job.name, []),
            )
            for job in defined.values()
        ]
    )


@router.get("/queue")
def show_queue(shed: Here, limit: Limit = 100) -> QueueView:
    """What waits, in the order in which it is served, each run with what it waits for."""
    with shed.daemon.record.read() as session:
        return QueueView(
            waiting=waiting(session, shed.now, limit, shed.daemon.degraded),
            total=queue.count_waiting(session),
            running=runs.running(session, shed.now),
        )


@router.get("/timetable")
def timetable(
    shed: Here,
    count: Annotated[int, Query(ge=0, le=20, description="Times to come, of each schedule.")] = 3,
    past: Annotated[int, Query(ge=0, le=100, description="Runs of times that have passed, of each schedule.")] = 10,
    limit: Limit = 100,
    after: After = None,
) -> Page[TimetableView]:
    """Schedules by name, each with its next times and what became of the last ones."""
    now = shed.daemon.clock()
    with shed.daemon.record.read() as session:
        rows = schedules.rows_by_name(session, limit + 1, after)
        names = [row.name for row in rows]
        history = jobruns.of_schedules(session, names, past)
        expected = jobruns.expected_seconds(session, {row.job for row in rows})
    return page(
        rows,
        limit,
        lambda row: TimetableView(
            schedule=schedules.schedule_view(row),
            coming=list(coming(row, now, count)) if row.enabled and not row.broken else [],
            expected_seconds=expected.get(row.job),
            runs=history.get(row.name, []),
        ),
        lambda row: (row.name,),
    )
