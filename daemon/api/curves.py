"""`/v1/runs/{run}/metrics/{name}`, `/v1/runs/sparks`: metrics as curves, of as few points as there is room for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Final

from fastapi import Query, Request
from fastapi.responses import Response

from daemon.api.asked import while_asked
from daemon.api.part import part
from daemon.api.shed import Here, RunId, Then
from store import curves
from store.times import to_us
from store.wire import MetricSeries, Page, SparkView

router = part("curves")
_MOST_RUNS: Final = 500


@router.get("/runs/sparks", response_model=Page[SparkView])
async def sparks(
    shed: Here,
    request: Request,
    ids: Annotated[list[int], Query(min_length=1, max_length=_MOST_RUNS)],
    points: Annotated[int, Query(ge=2, le=200, description="Values at most.")] = 16,
) -> Response:
    """Of each run its objective in a few values, with the latest and the best; a run without metrics is left out."""

    def read(stop: Callable[[], bool]) -> Page[SparkView]:
        with shed.daemon.record.read(stop) as session:
            return Page(items=curves.sparks(session, ids, points))

    return await while_asked(request, read)


# A metric's name may hold slashes: `train/loss`.
@router.get("/runs/{run}/metrics/{name:path}", response_model=MetricSeries)
async def curve(
    shed: Here,
    request: Request,
    run: RunId,
    name: str,
    points: Annotated[int, Query(ge=4, le=20_000, description="At most so many; extremes survive.")] = 500,
    since_step: Annotated[int | None, Query(description="Only what comes after this step.")] = None,
    at: Then = None,
) -> Response:
    """One curve, thinned without losing a spike; with `at`, as far as it had come by then."""
    until = None if at is None else to_us(at)

    def read(stop: Callable[[], bool]) -> MetricSeries:
        with shed.daemon.record.read(stop) as session:
            return curves.series(session, run, name, points, since_step, until=until)

    return await while_asked(request, read)
