"""The HTTP schema: what the daemon says and what it can be asked. The only module of ours that `tui` knows.

Frozen, strict, versioned by the path prefix `/v1`. Times are UTC. A list is a `Page`: `next` is the opaque
keyset token of the following page, or None. `rev` is the record's revision at which a thing last changed.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from store.words import ACTIVE as ACTIVE
from store.words import ENDED as ENDED
from store.words import GOOD as GOOD
from store.words import PRODUCTION as PRODUCTION
from store.words import CatchUp, JobKind, Overlap, Severity, Trigger
from store.words import Outcome as Outcome
from store.words import RunState as RunState

T = TypeVar("T")


class Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Page(Wire, Generic[T]):
    items: list[T]
    next: str | None = None


class Problem(Wire):
    """application/problem+json (RFC 9457) with the remedy."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str
    """Name of the error class, see docs/reference/errors.md."""
    where: str = ""
    remedy: str


class Fault(Wire):
    """Why something did not succeed."""

    code: str
    what: str
    where: str = ""
    remedy: str = ""


# ---------------------------------------------------------------------------------------------- the shed


class BoxView(Wire):
    """The machine, at the last sample."""

    at: datetime
    cpu_percent: float
    cpu_count: int
    memory_used: int
    memory_total: int
    disk_free: int
    disk_total: int
    gpus: list[GpuView] = []


class GpuView(Wire):
    index: int
    name: str
    memory_used: int
    memory_total: int
    utilisation: float


class StatusView(Wire):
    project: str
    project_dir: str
    home: str
    version: str
    pid: int
    started_at: datetime
    degraded: str | None = None
    """Why no new run is started (disk full, draining …), or None."""
    box: BoxView | None
    runs: dict[RunState, int]
    running: list[RunView]
    waiting: list[RunView]
    needs_you: list[NeedView]
    production: list[AliasView]
    next_schedules: list[ScheduleView]
    rev: int


class NeedView(Wire):
    """Something a person should look at, and the command that acts on it."""

    subject: str
    message: str
    command: str


class JobView(Wire):
    name: str
    kind: JobKind
    target: str
    upstream: list[str]
    pool: str
    last: RunView | None = None


# ----------------------------------------------------------------------------------------------------- runs


class RunView(Wire):
    id: int
    job: str
    kind: JobKind
    target: str
    state: RunState
    reason: str = ""
    """Why it is in this state, in a sentence: what it waits for, why it was skipped, how it failed."""
    fault: Fault | None = None
    trigger: Trigger
    actor: str
    schedule: str | None = None
    scheduled_for: datetime | None = None
    group: int | None = None
    """Id of the run that was asked for, when this one is its upstream."""
    priority: int
    pool: str
    attempt: int
    max_attempts: int
    created_at: datetime
    not_before: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    stalled: bool = False
    """Alive, and silent for longer than its stall_timeout."""
    done: float | None = None
    total: float | None = None
    unit: str = ""
    message: str = ""
    eta_seconds: float | None = None
    rev: int


class AttemptView(Wire):
    number: int
    state: RunState
    reason: str
    pid: int | None
    exit_code: int | None
    signal: int | None
    started_at: datetime | None
    ended_at: datetime | None
    peak_rss: int | None
    cpu_seconds: float | None


class LatestMetric(Wire):
    name: str
    step: int
    value: float | None
    """None stands for NaN and for infinities, which JSON does not have."""
    at: datetime


class MetricPoint(Wire):
    step: int
    value: float | None
    at: datetime


class MetricSeries(Wire):
    run: int
    name: str
    points: list[MetricPoint]


class ArtifactView(Wire):
    name: str
    kind: str
    path: str
    digest: str
    bytes: int


class CheckpointView(Wire):
    step: int
    path: str
    digest: str
    bytes: int
    at: datetime


class RunDetail(Wire):
    run: RunView
    params: dict[str, Any]
    attempts: list[AttemptView]
    metrics: list[LatestMetric]
    artifacts: list[ArtifactView]
    checkpoints: list[CheckpointView]
    depends_on: list[int]
    produced: list[str]
    """What it left behind: `flights@12`, `late 3`."""
    events: list[EventView]


class ResourcePoint(Wire):
    at: datetime
    cpu_percent: float
    rss: int
    gpu_memory: int | None = None


class RunRequest(Wire):
    job: str
    params: dict[str, Any] = Field(default={}, description="Overrides of the job's settings, dotted names.")
    upstream: bool = Field(default=False, description="Bring everything the job builds upon up to date first.")
    force: bool = Field(default=False, description="Run even if no input changed.")
    priority: int = 0


class CompareView(Wire):
    runs: list[RunView]
    params: dict[str, list[Any]]
    """Only those that differ; one value a run, in order."""
    metrics: dict[str, list[float | None]]


# ----------------------------------------------------------------------------------------------------- data


class ColumnView(Wire):
    name: str
    type: str
    nulls: int | None = None
    distinct: int | None = None
    low: str | None = None
    high: str | None = None


class DatasetView(Wire):
    name: str
    kind: str
    """`dataset` or `feature view`."""
    made_from: list[str]
    version: int | None
    rows: int | None
    bytes: int | None
    updated_at: datetime | None
    newest: datetime | None
    """Newest value of the time column."""
    checks: dict[Outcome, int]
    rev: int


class DatasetVersionView(Wire):
    dataset: str
    version: int
    run: int
    rows: int
    added: int
    removed: int
    quarantined: int
    bytes: int
    at: datetime
    newest: datetime | None
    inputs: dict[str, int]
    """Versions of the datasets it was made from."""
    columns: list[ColumnView]
    schema_changes: list[str]
    note: str


class DatasetDetail(Wire):
    dataset: DatasetView
    latest: DatasetVersionView | None
    sample: list[dict[str, Any]]
    checks: list[CheckView]


class CheckView(Wire):
    dataset: str
    version: int | None
    run: int
    check: str
    kind: str
    severity: Severity
    outcome: Outcome
    failing: int
    total: int
    share: float
    allowed: float
    detail: str
    sample: list[dict[str, Any]]
    at: datetime


class FeatureViewView(Wire):
    name: str
    entity: list[str]
    time: str
    ttl_seconds: float | None
    columns: list[str]
    data: DatasetView


# --------------------------------------------------------------------------------------------------- models


class Interval(Wire):
    """A value with its confidence interval."""

    value: float
    low: float
    high: float
    level: float = 0.95


class GateView(Wire):
    """One rule over the evidence, with the numbers it judged by."""

    gate: str
    outcome: Outcome
    reason: str
    value: float | None = None
    limit: float | None = None


class VerdictView(Wire):
    passed: bool
    gates: list[GateView]
    at: datetime


class ModelView(Wire):
    name: str
    task: str
    objective: str
    versions: int
    latest: int | None
    aliases: dict[str, int]
    rev: int


class VersionView(Wire):
    model: str
    version: int
    run: int
    digest: str
    created_at: datetime
    objective: str
    metrics: dict[str, Interval]
    """On the test rows."""
    baseline: dict[str, float]
    verdict: VerdictView | None
    aliases: list[str]
    rev: int


class VersionDetail(Wire):
    version: VersionView
    evidence: dict[str, Any]
    signature: dict[str, Any]
    lineage: dict[str, Any]
    aliases: list[AliasEventView]


class AliasView(Wire):
    model: str
    alias: str
    version: int
    since: datetime
    actor: str
    reason: str


class AliasEventView(Wire):
    id: int
    model: str
    alias: str
    action: str
    """`promote` or `rollback`."""
    from_version: int | None
    to_version: int
    actor: str
    reason: str
    overridden: bool
    at: datetime


class DifferenceView(Wire):
    """Candidate minus production on the same rows."""

    metric: str
    difference: Interval
    p_value: float | None
    test: str
    rows: int


class PlanView(Wire):
    """What a promotion would do. `token` binds it to the state it was made from."""

    model: str
    alias: str
    from_version: int | None
    to_version: int
    allowed: bool
    needs_override: bool
    gates: list[GateView]
    differences: list[DifferenceView]
    signature_changes: list[str]
    effects: list[str]
    warnings: list[str]
    undo: str
    token: str


class PromoteRequest(Wire):
    version: int
    alias: str = "production"
    token: str | None = Field(default=None, description="Of the plan that was shown; a stale one is refused.")
    reason: str = ""
    override: bool = Field(default=False, description="Against the gates; needs a reason, shown for ever.")


class RollbackRequest(Wire):
    alias: str = "production"
    to: int | None = Field(default=None, description="A version, or None for the one before.")
    expected: int | None = Field(default=None, description="The version believed to be live; refused if not.")
    reason: str = ""


# ------------------------------------------------------------------------------------------------ schedules


class ScheduleView(Wire):
    name: str
    job: str
    spec: str
    timezone: str
    overlap: Overlap
    catch_up: CatchUp
    enabled: bool
    paused_reason: str
    broken: str
    next_at: datetime | None
    last_at: datetime | None
    failures: int
    rev: int


class PauseRequest(Wire):
    reason: str = ""


class SchedulePreview(Wire):
    """The next times, with the offset of the schedule's zone."""

    name: str
    times: list[str]


# --------------------------------------------------------------------------------------------------- events


class EventView(Wire):
    id: int
    at: datetime
    actor: str
    kind: str
    subject: str
    """`run 12`, `flights@3`, `late 2`, `schedule nightly`, `daemon`."""
    message: str
    data: dict[str, Any]


class ChangesView(Wire):
    """What changed after a revision: whole views, newest state only (intermediate ones are not kept)."""

    rev: int
    runs: list[RunView] = []
    datasets: list[DatasetView] = []
    models: list[ModelView] = []
    versions: list[VersionView] = []
    schedules: list[ScheduleView] = []
    events: list[EventView] = []


class LogChunk(Wire):
    """A piece of a log file; ask again from `offset`."""

    text: str
    offset: int
    size: int
    dropped: int
    """Bytes that the size cap has thrown away, oldest first."""
    ended: bool = False
    """The run has ended: nothing will be added."""


class BackupView(Wire):
    path: str
    bytes: int
    seconds: float


class ShutdownRequest(Wire):
    drain: bool = Field(default=False, description="First let the runs end; start no new ones.")


class Done(Wire):
    """An action was carried out."""

    message: str


for _view in (BoxView, StatusView, JobView, RunDetail, DatasetDetail, VersionDetail):
    _view.model_rebuild()
del _view
