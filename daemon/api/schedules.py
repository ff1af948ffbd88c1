"""`/v1/schedules`: when jobs run by themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import Query
from pydantic import AwareDatetime
from sqlmodel import Session

from daemon import backfill
from daemon.api.part import part
from daemon.api.shed import Actor, Here, Limit, Name
from daemon.timetable import next_time
from store import schedules
from store.tables import Schedule
from store.times import to_us
from store.wire import (
    BackfillDone,
    BackfillPlan,
    BackfillRequest,
    Page,
    PauseRequest,
    SchedulePreview,
    ScheduleView,
)

router = part("schedules")


@router.get("/schedules")
def list_schedules(shed: Here) -> Page[ScheduleView]:
    """By name; with those that the project file no longer has, marked as broken."""
    with shed.daemon.record.read() as session:
        return Page(items=schedules.list_schedules(session))


@router.post("/schedules/{name}/pause")
def pause(shed: Here, actor: Actor, name: Name, request: PauseRequest | None = None) -> ScheduleView:
    """Queues nothing by it until it is resumed."""
    with shed.daemon.record.transaction() as tx:
        view = schedules.pause(tx, name, actor, request.reason if request else "")
    shed.daemon.schedules_changed()
    return view


@router.post("/schedules/{name}/resume")
def resume(shed: Here, actor: Actor, name: Name) -> ScheduleView:
    """Goes on from now; times that fell into the pause are not made up."""
    now = shed.daemon.clock()
    with shed.daemon.record.transaction() as tx:
        following = next(coming(schedules.get_schedule(tx.session, name), now, 1), None)
        view = schedules.resume(tx, name, actor, to_us(following) if following else None)
    shed.daemon.schedules_changed()
    return view


@router.get("/schedules/{name}/next")
def next_times(shed: Here, name: Name, count: Annotated[int, Query(ge=1, le=100)] = 5) -> SchedulePreview:
    """The next times, with the offset that the schedule's zone has then."""
    now = shed.daemon.clock()
    with shed.daemon.record.read() as session:
        row = schedules.get_schedule(session, name)
    zone = ZoneInfo(row.timezone)
    times = [time.astimezone(zone).isoformat(timespec="seconds") for time in coming(row, now, count)]
    return SchedulePreview(name=name, times=times)


@router.get("/schedules/{name}/backfill")
def backfill_plan(
    shed: Here,
    name: Name,
    start: Annotated[AwareDatetime, Query(description="The first time counts.")],
    end: Annotated[AwareDatetime, Query(description="Not included; at most now.")],
    limit: Limit = 100,
) -> BackfillPlan:
    """Which of the schedule's times in a span have no run, and would get one."""
    request = BackfillRequest(start=start, end=end, limit=limit)
    with shed.daemon.record.read() as session:
        return backfill.plan(session, name, request, shed.now)


@router.post("/schedules/{name}/backfill", status_code=201)
def make_up(shed: Here, actor: Actor, name: Name, request: BackfillRequest) -> BackfillDone:
    """Queues a run for each of these times that has none, behind everything that is due. Twice, it adds nothing."""
    return shed.daemon.backfill(name, request, actor)


def with_next(session: Session, views: Sequence[ScheduleView], after: datetime) -> list[ScheduleView]:
    """The same with the times that came next after a moment of the past; none for those that rested."""
    rows = {row.name: row for row in schedules.all_rows(session)}
    return [
        view.model_copy(update={"next_at": next(coming(rows[view.name], after, 1), None)})
        if view.enabled and not view.broken
        else view
        for view in views
    ]


def coming(row: Schedule, after: datetime, count: int) -> Iterator[datetime]:
    """At most `count` times at which a schedule is due after a moment."""
    for _ in range(count):
        following = next_time(row.spec, row.timezone, after)
        if following is None:
            return
        yield following
        after = following
