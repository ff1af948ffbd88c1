"""`/v1/endpoints`: what is served, by whom, how fast, now and over time; on and off."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from daemon.api.shed import NAME_PATTERN, Actor, Here, Then
from daemon.servinghistory import LATELY, history
from store import servingsamples
from store.times import to_us, us
from store.wire import Done, EndpointsRequest, EndpointsView, ServingHistoryView

router = APIRouter(tags=["endpoints"])


@router.get("/endpoints")
def show(shed: Here) -> EndpointsView:
    """The serving processes, and each model that answers, with its numbers."""
    return shed.daemon.serving_room.view()


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
