"""Endpoints that stand still, for pictures: nothing is served where the tests run."""

from __future__ import annotations

from datetime import timedelta
from math import sin
from typing import Any, Final

from store.wire import (
    ArmView,
    ComparisonView,
    EndpointsView,
    EndpointView,
    RuleView,
    ServingHistoryView,
    ServingPoint,
    ServingSeries,
    ServingWorkerView,
    ShadowView,
    StageView,
    TreatmentView,
)
from tests.unit.ui.moments import NOW


def point(minutes: float, rps: float, *, errors: int = 0, p95: float = 2.0) -> ServingPoint:
    """So many minutes before NOW."""
    busy = rps > 0
    return ServingPoint(
        at=NOW - timedelta(minutes=minutes),
        seconds=30.0,
        requests=round(rps * 30),
        rps=rps,
        errors=errors,
        refused=0,
        p50_ms=p95 / 2.5 if busy else None,
        p95_ms=p95 if busy else None,
        p99_ms=p95 * 2 if busy else None,
        queued_ms=0.2 if busy else None,
        waiting=3 if busy else 0,
        batch_rows=2.5 if busy else None,
        dropped=0,
        compilations=0,
    )


def series(model: str, version: int, scale: float, *, errors: int = 0) -> ServingSeries:
    """An hour of waves, with a burst of errors in its middle."""
    points = [
        point(
            60 - step / 2,
            scale * (100 + 60 * sin(step / 9)),
            errors=errors if 55 <= step < 65 else 0,
            p95=2.0 + 1.5 * sin(step / 13) + (8.0 if errors and 55 <= step < 65 else 0.0),
        )
        for step in range(120)
    ]
    return ServingSeries(model=model, version=version, points=points, lately=point(1, 100 * scale, p95=2.4))


def canary(**changes: Any) -> ComparisonView:
    facts: dict[str, Any] = {
        "id": 1,
        "model": "late",
        "kind": "canary",
        "name": "",
        "control": 1,
        "treatments": [TreatmentView(version=2, share=0.05, room=1.0)],
        "status": "running",
        "stage": 1,
        "since": NOW - timedelta(minutes=12),
        "stages": [StageView(share=share, bake_seconds=600.0, least=500) for share in (0.01, 0.05, 0.25, 0.5)],
        "waits": "3 more minutes of this stage",
        "findings": [
            RuleView(rule="errors", answer="yes", reason="no more errors than control: p = 0.61"),
            RuleView(rule="evidence", answer="not yet", reason="412 of 500 requests"),
        ],
        "reason": "trained with May",
        "actor": "ann",
        "ended_by": None,
        "began_at": NOW - timedelta(minutes=30),
        "ended_at": None,
    }
    return ComparisonView(**{**facts, **changes})


def arm(version: int, role: str, share: float, *, requests: int) -> ArmView:
    return ArmView.model_validate(
        {
            "version": version,
            "role": role,
            "share": share,
            "ready": True,
            "requests": requests,
            "errors": 3,
            "slow": 12,
            "p50_ms": 0.9,
            "p99_ms": 4.4,
            "compared": requests,
            "units": requests // 4,
            "error_units": 2,
            "slow_units": 7,
        }
    )


SHADOW: Final = ShadowView(
    version=2,
    share=0.5,
    actor="bob",
    reason="",
    since=NOW - timedelta(hours=2),
    ready=True,
    answered=48_000,
    failed=1,
    dropped=17,
    p50_ms=1.1,
    p99_ms=5.2,
)


def endpoint(**changes: Any) -> EndpointView:
    facts: dict[str, Any] = {
        "model": "late",
        "version": 1,
        "previous": None,
        "ready": True,
        "requests": 361_204,
        "errors": 40,
        "rps": 100.0,
        "batch_rows": 2.5,
        "p50_ms": 0.9,
        "p95_ms": 2.4,
        "p99_ms": 4.4,
        "logged": 361_204,
        "dropped": 0,
        "arms": [arm(1, "control", 1.0, requests=361_204)],
    }
    return EndpointView(**{**facts, **changes})


def view(*endpoints: EndpointView, **changes: Any) -> EndpointsView:
    facts: dict[str, Any] = {
        "wanted": True,
        "asked_by": "ann",
        "running": True,
        "pid": 700,
        "url": "http://127.0.0.1:8080",
        "grpc": "127.0.0.1:8081",
        "epoch": 7,
        "restarts": 0,
        "compilations": 0,
        "workers": [
            ServingWorkerView(number=1, pid=711, state="accepting", epoch=7, missing={}),
            ServingWorkerView(number=2, pid=712, state="ready", epoch=7, missing={}),
        ],
        "endpoints": list(endpoints),
        "phase": None,
        "problem": None,
    }
    return EndpointsView(**{**facts, **changes})


def history(*found: ServingSeries) -> ServingHistoryView:
    return ServingHistoryView(since=NOW - timedelta(hours=1), step_seconds=30.0, series=list(found))


CALM: Final = (view(endpoint()), history(series("late", 1, 1.0)))
PARTED: Final = (
    view(
        endpoint(
            arms=[arm(1, "control", 0.95, requests=12_240), arm(2, "treatment", 0.05, requests=412)],
            comparison=canary(),
            shadow=SHADOW,
        )
    ),
    history(series("late", 1, 1.0, errors=40), series("late", 2, 0.05)),
)
BROKEN: Final = (
    view(
        endpoint(ready=False, reason="the golden rows do not come back: a score differs by 0.2", previous=3, rps=None),
        problem="late 4 cannot be served: the golden rows do not come back",
        phase="late 5: its programs are compiled, one for each batch size",
        workers=[ServingWorkerView(number=1, pid=711, state="loading", epoch=6, missing={"late 1": "golden"})],
    ),
    history(),
)
STARTING: Final = (view(running=False, url=None, grpc=None, workers=[], endpoints=[]), history())
DEAD: Final = (
    view(running=False, url=None, workers=[], problem="endpoints cannot be started: port 8080 is taken"),
    history(),
)
OFF: Final = (view(running=False, wanted=False, asked_by=None, url=None, workers=[]), history())
