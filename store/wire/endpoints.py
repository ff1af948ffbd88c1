"""Endpoints: models that answer requests, and the processes that do it."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from store.wire.base import Wire
from store.wire.traffic import ArmView, ComparisonView, ShadowView
from store.words import Phase


class PhaseView(Wire):
    """One part of the way into service; see `PHASES`."""

    phase: Phase
    seconds: float
    """How long it took, or has taken so far if it is the last one and the version is under way."""


class IntoServiceView(Wire):
    """The version that is going into service, or the last one that did."""

    number: int
    """Grows with every phase: ask for what comes after it."""
    model: str | None
    """None: none has since the daemon started."""
    version: int | None
    under_way: bool
    phases: list[PhaseView]
    """As far as it has come. A version that is loaded already, as for a rollback, is not pressed again."""


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
    asleep: bool = False
    """Nobody has asked it for `serving.idle`: no process has it loaded, and the next request has that done."""
    cold_starts: int = 0
    """Requests that had the model loaded, and waited for that."""
    cold_ms: float | None = None
    """From such a request to its answer, the last time."""
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
    certificate: str | None = None
    """File with the certificate that `url` shows, if it is https."""
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


class ServingPoint(Wire):
    """What was answered in one stretch of time."""

    at: datetime
    """The stretch's beginning."""
    seconds: float
    """How much of the stretch was counted."""
    requests: int
    rps: float
    """Requests a second."""
    errors: int
    """Of the requests, those answered with a status above 499."""
    refused: int
    """Of the requests, those answered with 400 to 499."""
    p50_ms: float | None
    """From the first byte to the answer; None without requests."""
    p95_ms: float | None
    p99_ms: float | None
    queued_ms: float | None
    """What 95 of 100 runs of the model waited at most."""
    waiting: int
    """Rows that waited for a run, at most."""
    batch_rows: float | None
    """Mean rows in a run of the model."""
    dropped: int
    """Lines of the prediction log that found no room; told of a model, not of a version."""
    compilations: int
    """Programs compiled while serving; told of the processes."""


class ServingSeries(Wire):
    """One version over time. `version` null: what belongs to the model, such as requests that were refused before a
    version was chosen. `model` null: the processes, and requests for models that nobody serves."""

    model: str | None
    version: int | None
    points: list[ServingPoint]
    """Oldest first; stretches in which nothing was counted are left out. At rest there is one a minute."""
    lately: ServingPoint | None
    """The last minute; None where nothing was counted in it."""


class ServingHistoryView(Wire):
    """What endpoints have answered, evenly spaced. It is remembered for two days."""

    since: datetime
    step_seconds: float
    series: list[ServingSeries]
