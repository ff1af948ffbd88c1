"""The API as one ASGI app. Its schema is at `/openapi.json`."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from daemon.api import (
    alerts,
    changes,
    curves,
    data,
    drift,
    endpoints,
    experiments,
    heat,
    jobs,
    keys,
    labels,
    lineage,
    logs,
    machine,
    metrics,
    models,
    monitors,
    predictions,
    prune,
    runs,
    schedules,
    standings,
    system,
    traffic,
    windows,
)
from daemon.api.door import Door
from daemon.api.problems import add_handlers
from daemon.api.shed import Shed
from store.wire import Problem

_PROBLEM: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": Problem, "description": "Refused: what, where, and what to do next."},
    "5XX": {"model": Problem, "description": "Failed: what, where, and what to do next."},
}


def create_app(shed: Shed, token: str | None = None) -> FastAPI:
    """`token`: what callers over TCP have to show; without one, only the unix socket's peers are let in."""
    app = FastAPI(
        title="Trainshed",
        version=shed.identity.release,
        description="The control API of one project's daemon. Errors are application/problem+json with a remedy.",
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=_operation,
        responses=_PROBLEM,
    )
    app.state.shed = shed
    add_routes(app)
    add_handlers(app)
    app.add_middleware(Door, token=token)
    return app


def add_routes(app: FastAPI) -> None:
    """All of them, on whatever app."""
    # `/runs/window` and `/runs/sparks` before `/runs/{run}`: they are no run's number.
    for part in (
        system,
        machine,
        jobs,
        windows,
        curves,
        runs,
        logs,
        prune,
        data,
        standings,
        models,
        endpoints,
        traffic,
        experiments,
        keys,
        predictions,
        labels,
        drift,
        heat,
        monitors,
        alerts,
        lineage,
        schedules,
        changes,
    ):
        app.include_router(part.router, prefix="/v1")
    app.include_router(metrics.router)


def _operation(route: APIRoute) -> str:
    """`runs_list_runs`: stable names for those who make a client from the schema."""
    return f"{route.tags[0] if route.tags else 'v1'}_{route.name}"
