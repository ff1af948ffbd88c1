"""The API as one ASGI app. Its schema is at `/openapi.json`."""

from __future__ import annotations

from fastapi import FastAPI

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


def create_app(shed: Shed, token: str | None = None) -> FastAPI:
    """`token`: what callers over TCP have to show; without one, only the unix socket's peers are let in."""
    app = FastAPI(
        title="Trainshed",
        version=shed.identity.release,
        description="The control API of one project's daemon. Errors are application/problem+json with a remedy.",
        docs_url=None,
        redoc_url=None,
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
        metrics,
    ):
        app.router.routes.extend(part.router.routes)  # as they are: daemon/api/part.py
