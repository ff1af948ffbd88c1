"""`/v1/runs`: ask for one, look at them, end one, try one again."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from daemon.api.part import part
from daemon.api.shed import Actor, After, Here, Limit, RunId, Then
from store import metrics, runs, samples
from store.pastruns import detail_then
from store.times import to_us
from store.wire import (
    CompareView,
    LatestMetric,
    Page,
    ResourcePoint,
    RunDetail,
    RunRequest,
    RunView,
)
from store.words import JobKind, RunState

router = part("runs")


@router.post("/runs", status_code=201)
def submit(shed: Here, actor: Actor, request: RunRequest) -> RunView:
    """Puts a run of a job, and with `upstream` of everything it builds upon, into the queue."""
    return shed.daemon.submit(request, actor)


@router.get("/runs")
def list_runs(
    shed: Here,
    job: str | None = None,
    state: Annotated[list[RunState] | None, Query()] = None,
    kind: JobKind | None = None,
    schedule: str | None = None,
    group: int | None = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[RunView]:
    """Newest first; each filter narrows the list."""
    with shed.daemon.record.read() as session:
        return runs.list_runs(
            session,
            shed.now,
            states=state or (),
            job=job,
            kind=kind,
            schedule=schedule,
            group=group,
            limit=limit,
            after=after,
        )


@router.get("/runs/compare")
def compare(shed: Here, ids: Annotated[list[int], Query(min_length=1, max_length=50)]) -> CompareView:
    """The settings in which runs differ, and their metrics, side by side."""
    with shed.daemon.record.read() as session:
        return runs.compare(session, ids, shed.now)


@router.get("/runs/{run}")
def show(shed: Here, run: RunId, at: Then = None) -> RunDetail:
    """Everything known of a run; with `at`, everything that was known of it then."""
    with shed.daemon.record.read() as session:
        return runs.detail(session, run, shed.now) if at is None else detail_then(session, run, to_us(at))


@router.post("/runs/{run}/cancel")
def cancel(shed: Here, actor: Actor, run: RunId) -> RunView:
    """Asks a run to save and end, then kills it; a second time kills at once."""
    return shed.daemon.cancel(run, actor)


@router.post("/runs/{run}/retry")
def retry(shed: Here, actor: Actor, run: RunId) -> RunView:
    """Queues an ended run again; training goes on from its last checkpoint."""
    return shed.daemon.retry(run, actor)


@router.get("/runs/{run}/metrics")
def latest_metrics(shed: Here, run: RunId) -> Page[LatestMetric]:
    """The newest point of each of a run's curves."""
    with shed.daemon.record.read() as session:
        runs.view(session, run, shed.now)
        return Page(items=metrics.latest(session, run))


@router.get("/runs/{run}/resources")
def resources(
    shed: Here, run: RunId, limit: Annotated[int, Query(ge=1, le=20_000)] = 1000, at: Then = None
) -> Page[ResourcePoint]:
    """What a run used of the machine, oldest first; with `at`, up to then."""
    with shed.daemon.record.read() as session:
        runs.view(session, run, shed.now)
        return Page(items=samples.samples_of(session, run, limit, until=None if at is None else to_us(at)))
