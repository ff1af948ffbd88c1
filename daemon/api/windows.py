"""`/v1/runs/window`, `/v1/events/window`: long lists by position, for who scrolls and types. A reader who goes away
ends the search."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Final

from fastapi import Query, Request
from fastapi.responses import Response

from daemon.api.asked import while_asked
from daemon.api.part import part
from daemon.api.shed import Here
from store.listing import events, runs
from store.wire import CountView, EventView, RunView, Window

router = part("windows")
_LIMIT: Final = 500

Filtered = Annotated[str, Query(max_length=2000, description="The filter's text, as in the filter line.")]
Order = Annotated[
    str,
    Query(
        max_length=500, description="id, job, state, actor, priority, created, ended, took, metric:NAME; -: reversed."
    ),
]
Offset = Annotated[int, Query(ge=0, le=2**53, description="Rows before the first.")]
Many = Annotated[int, Query(ge=1, le=_LIMIT, description="Rows at most.")]


@router.get("/runs/window", response_model=Window[RunView])
async def run_window(
    shed: Here, request: Request, q: Filtered = "", sort: Order = "-id", offset: Offset = 0, limit: Many = 128
) -> Response:
    """Runs by their position in a filtered and sorted list; `total` is null where counting is dear."""

    def read(stop: Callable[[], bool]) -> Window[RunView]:
        with shed.daemon.record.read(stop) as session:
            return runs.window(session, q, sort, offset, limit, shed.now)

    return await while_asked(request, read)


@router.get("/runs/count", response_model=CountView)
async def run_count(shed: Here, request: Request, q: Filtered = "", sort: Order = "-id") -> Response:
    """How many runs the filter leaves over, exactly."""

    def read(stop: Callable[[], bool]) -> CountView:
        with shed.daemon.record.read(stop) as session:
            return CountView(count=runs.count_runs(session, q, sort, shed.now))

    return await while_asked(request, read)


@router.get("/events/window", response_model=Window[EventView])
async def event_window(
    shed: Here, request: Request, q: Filtered = "", offset: Offset = 0, limit: Many = 128
) -> Response:
    """Events by their position, newest first, in the filtered history; `total` is null where counting is dear."""

    def read(stop: Callable[[], bool]) -> Window[EventView]:
        with shed.daemon.record.read(stop) as session:
            return events.window(session, q, offset, limit, shed.now)

    return await while_asked(request, read)


@router.get("/events/count", response_model=CountView)
async def event_count(shed: Here, request: Request, q: Filtered = "") -> Response:
    """How many events the filter leaves over, exactly."""

    def read(stop: Callable[[], bool]) -> CountView:
        with shed.daemon.record.read(stop) as session:
            return CountView(count=events.count_events(session, q, shed.now))

    return await while_asked(request, read)
