"""`/v1/jobs`, `/v1/queue`, `/v1/timetable`: what can run, what waits and why, what comes when."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from fastapi import Query
from sqlmodel import Session

from daemon.api.part import part
from daemon.api.schedules import coming, with_next
from daemon.api.shed import After, Here, Limit, Then
from daemon.waits import waiting
from store import jobruns, queue, runs, schedules
from store.keyset import page
from store.past import newest_of_jobs, runs_then
from store.pastschedules import schedules_then
from store.tables import Schedule
from store.times import to_us
from store.wire import JobView, Page, QueueView, RunView, TimetableView

router = part("runs")


@router.get("/jobs")
def jobs(shed: Here, at: Then = None) -> Page[JobView]:
    """What the project defines that can run: each one's last runs, and how long the next one will take.

    With `at`, by the project file of now, which is not kept.
    """
    defined = shed.daemon.jobs
    asking: dict[str, list[str]] = {}
    then = None if at is None else to_us(at)
    with shed.daemon.record.read() as session:
        last = runs.last_runs(session, shed.now, defined) if then is None else _last_then(session, defined, then)
        history = jobruns.strips(session, defined, at=then)
        expected = jobruns.expected_seconds(session, defined, at=then)
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


def _last_then(session: Session, jobs: Iterable[str], at: int) -> dict[str, RunView]:
    return {run.job: run for run in runs_then(session, newest_of_jobs(session, jobs, at), at)}


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
    at: Then = None,
) -> Page[TimetableView]:
    """Schedules by name, each with its next times and what became of the last ones."""
    now = at or shed.daemon.clock()
    then = None if at is None else to_us(at)
    with shed.daemon.record.read() as session:
        rows = schedules.rows_by_name(session, limit + 1, after)
        history = jobruns.of_schedules(session, [row.name for row in rows], past, at=then)
        expected = jobruns.expected_seconds(session, {row.job for row in rows}, at=then)
        views = {row.name: schedules.schedule_view(row) for row in rows}
        if then is not None:
            views = {view.name: view for view in with_next(session, schedules_then(session, rows, then), now)}

    def times(row: Schedule) -> TimetableView:
        view = views.get(row.name, schedules.schedule_view(row))
        return TimetableView(
            schedule=view,
            coming=list(coming(row, now, count)) if view.enabled and not view.broken else [],
            expected_seconds=expected.get(row.job),
            runs=history.get(row.name, []),
        )

    found = page(rows, limit, times, lambda row: (row.name,))
    return Page(items=[time for time in found.items if time.schedule.name in views], next=found.next)
