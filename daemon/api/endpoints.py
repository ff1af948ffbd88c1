"""`/v1/endpoints`: what is served, by whom, how fast, now and over time; on and off."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Final

from anyio import to_thread
from fastapi import Query, Request

from daemon.api.changes import waiters
from daemon.api.part import part
from daemon.api.shed import NAME_PATTERN, Actor, Here, Then
from daemon.servinghistory import LATELY, history
from store import servingsamples
from store.times import to_us, us
from store.wire import Done, EndpointsRequest, EndpointsView, IntoServiceView, ServingHistoryView

router = part("endpoints")
_LONGEST: Final = 2.0
"""Seconds: a daemon that is told to stop waits so long for those who wait here."""


@router.get("/endpoints")
def show(shed: Here) -> EndpointsView:
    """The serving processes, and each model that answers, with its numbers."""
    return shed.daemon.serving_room.view()


@router.get("/endpoints/promotion")
async def into_service(
    shed: Here,
    request: Request,
    after: Annotated[int, Query(ge=-1, description="The `number` of the answer before.")] = -1,
    wait: Annotated[float, Query(ge=0, le=_LONGEST, description="Seconds to wait for something newer.")] = 0.0,
) -> IntoServiceView:
    """The version that is going into service, phase by phase, or the last one that did."""
    return await to_thread.run_sync(shed.daemon.endpoints.phases.view, after, wait, limiter=waiters(request))


@router.post("/endpoints", status_code=202)
def switch(shed: Here, actor: Actor, request: EndpointsRequest) -> Done:
    """Serve, or not, whatever the project file says; null: what it says."""
    shed.daemon.endpoints.switch_on(request.on, actor)
    word = {True: "are being started", False: "are being stopped", None: "follow the project file"}[request.on]
    return Done(message=f"endpoints {word}")


@router.get("/endpoints/history")
def over_time(
    shed: Here,
    model: Annotated[str | None, Query(pattern=NAME_PATTERN, description="Only this one.")] = None,
    minutes: Annotated[int, Query(ge=1, le=2880, description="How far back; two days are remembered.")] = 60,
    points: Annotated[int, Query(ge=2, le=2000, description="At most so many of each series.")] = 120,
    at: Then = None,
) -> ServingHistoryView:
    """What each version answered over time: requests a second, times, errors, what waited.

    Up to now, or with `at` up to then. For some seconds after a question it is counted every two seconds, else every
    ten.
    """
    if at is None:
        shed.daemon.counts.watch()
    until = (shed.now if at is None else to_us(at)) + 1
    since = until - us(timedelta(minutes=minutes))
    with shed.daemon.record.read() as session:
        looks = servingsamples.between(session, min(since, until - LATELY), until, model)
    return history(looks, since, until, points)
