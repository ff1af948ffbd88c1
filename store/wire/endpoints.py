"""Endpoints: models that answer requests, and the processes that do it."""

from __future__ import annotations

from pydantic import Field

from store.wire.base import Wire
from store.wire.traffic import ArmView, ComparisonView, ShadowView


class ServingWorkerView(Wire):
    number: int
    pid: int
    state: str
    """`loading`, `ready` (the spare), `accepting` or `draining`."""
    epoch: int
    missing: dict[str, str]
    """`MODEL VERSION` → why it could not be loaded."""


class EndpointView(Wire):
    """A served model. Numbers are of the version that answers, since its processes started."""

    model: str
    version: int
    previous: int | None
    """Kept warm: a rollback to it loads nothing."""
    ready: bool
    reason: str = ""
    """Why it is not ready."""
    requests: int
    errors: int
    """Of them, those that were answered with a status above 499."""
    rps: float | None
    """Requests a second since the question before; None the first time."""
    batch_rows: float | None
    """Mean rows in a run of the model."""
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    logged: int
    """Lines of the prediction log that were written, of all versions."""
    dropped: int
    """Lines that found no room, in memory or on the disk."""
    arms: list[ArmView] = []
    """All versions that answer, control first."""
    comparison: ComparisonView | None = None
    """The one that runs, or the newest one that has ended."""
    shadow: ShadowView | None = None


class EndpointsView(Wire):
    wanted: bool
    asked_by: str | None
    """Who has started or stopped them; None: the project file says so."""
    running: bool
    pid: int | None
    """Of the supervisor."""
    url: str | None
    grpc: str | None = None
    """`HOST:PORT` of gRPC, if it is served."""
    epoch: int
    restarts: int
    """Workers that died and were replaced."""
    compilations: int
    """Programs that workers compiled after they were ready; more than 0 is a fault."""
    workers: list[ServingWorkerView]
    endpoints: list[EndpointView]
    phase: str | None
    """What a promotion is doing at this moment."""
    problem: str | None
    """Why what is served is not what should be."""


class EndpointsRequest(Wire):
    on: bool | None = Field(description="true, false, or null: what the project file says.")
