"""Whether a table is as new as its checks and schedules want it: a pure judgement, and the facts for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session

from daemon.timetable import next_time
from pipeline.config import Project
from pipeline.config.jobs import Job, with_upstream
from store import jobruns, schedules
from store.tables import Schedule
from store.wire import DatasetView, FreshnessView

PATIENCE: Final = timedelta(minutes=10)
"""Nothing is stale before: a schedule of seconds is not late because a run of it takes a minute."""
MISSED: Final = 2
"""Intervals of a schedule that may pass without a good run: one may be late, two are a fault."""


@dataclass(frozen=True)
class Due:
    """What schedules promise of a job."""

    schedule: str
    allowed: timedelta


def check_limit(project: Project, name: str) -> timedelta | None:
    """The tightest freshness check of a dataset on its own time column, the only one whose newest value is known."""
    dataset = project.datasets.get(name)
    if dataset is None:
        return None
    limits = [check.within for check in dataset.checks if check.kind == "freshness" and check.column == dataset.time]
    return min(limits, default=None)


def judge(
    view: DatasetView, limit: timedelta | None, due: Due | None, good_at: datetime | None, now: datetime
) -> FreshnessView | None:
    """A check counts before a schedule. `good_at`: when its job last ended well. None: nobody wants it new."""
    if limit is not None:
        return _by_check(view, limit, now)
    if due is not None:
        return _by_schedule(due, good_at, now)
    return None


def _by_check(view: DatasetView, limit: timedelta, now: datetime) -> FreshnessView:
    age = now - view.newest if view.newest is not None else None
    stale = age is not None and age > limit
    said = "it has no rows with a time yet" if age is None else f"its newest row is {spoken(age)} old"
    return _view("check", limit, age, stale, f"{said}; {spoken(limit)} are allowed")


def _by_schedule(due: Due, good_at: datetime | None, now: datetime) -> FreshnessView:
    age = now - good_at if good_at is not None else None
    stale = age is not None and age > due.allowed
    said = "it has not been made yet" if age is None else f"it was last brought up to date {spoken(age)} ago"
    reason = f"{said}; by schedule {due.schedule}, {spoken(due.allowed)} are allowed"
    return _view("schedule", due.allowed, age, stale, reason)


def _view(basis: str, limit: timedelta, age: timedelta | None, stale: bool, reason: str) -> FreshnessView:
    return FreshnessView.model_validate(
        {
            "basis": basis,
            "allowed_seconds": limit.total_seconds(),
            "age_seconds": age.total_seconds() if age is not None else None,
            "stale": stale,
            "reason": reason,
        }
    )


def spoken(span: timedelta) -> str:
    """In its largest fitting unit: "3.5 days", "12 minutes"."""
    seconds = span.total_seconds()
    for unit, size in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if abs(seconds) >= 2 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.0f} seconds"


# ------------------------------------------------------------------------------------------------------- the facts


def with_freshness(
    session: Session, project: Project, jobs: Mapping[str, Job], views: list[DatasetView], now: datetime
) -> list[DatasetView]:
    """The same views, each with its freshness."""
    on = [row for row in schedules.all_rows(session) if row.enabled and not row.broken]
    return freshness_then(session, project, jobs, views, now, on, None)


def freshness_then(
    session: Session,
    project: Project,
    jobs: Mapping[str, Job],
    views: list[DatasetView],
    now: datetime,
    on: list[Schedule],
    at: int | None,
) -> list[DatasetView]:
    """The same views, each as fresh as it was `at` a time (µs), which is `now`, by the schedules that were `on`."""
    names = [job_of(view) for view in views]
    promised = due_jobs(session, jobs, now, on, at)
    good = jobruns.last_good_at(session, [name for name in names if name in promised], at=at)
    return [
        view.model_copy(
            update={"freshness": judge(view, check_limit(project, view.name), promised.get(name), good.get(name), now)}
        )
        for view, name in zip(views, names, strict=True)
    ]


def job_of(view: DatasetView) -> str:
    """The job that makes the table."""
    return f"{'features' if view.kind == 'feature view' else 'etl'}:{view.name}"


def due_jobs(
    session: Session, jobs: Mapping[str, Job], now: datetime, on: list[Schedule], at: int | None
) -> dict[str, Due]:
    """Job → the strictest promise of a schedule that is on, for the jobs that schedules bring up to date."""
    rows = [row for row in on if row.job in jobs]
    expected = jobruns.expected_seconds(session, {row.job for row in rows}, at=at)
    found: dict[str, Due] = {}
    for row in rows:
        interval = _interval(row.spec, row.timezone, now)
        if interval is None:
            continue
        allowed = max(MISSED * interval, PATIENCE) + timedelta(seconds=expected.get(row.job, 0.0))
        for job in with_upstream(dict(jobs), row.job) if row.upstream else [jobs[row.job]]:
            if job.name not in found or allowed < found[job.name].allowed:
                found[job.name] = Due(row.name, allowed)
    return found


def _interval(spec: Mapping[str, object], zone: str, now: datetime) -> timedelta | None:
    """Between the next two times; None when there is at most one more."""
    first = next_time(spec, zone, now)
    second = next_time(spec, zone, first) if first is not None else None
    return second - first if first is not None and second is not None else None
