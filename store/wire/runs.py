"""Jobs, runs and what a run leaves behind."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from store.wire.base import Fault, Wire
from store.wire.events import EventView
from store.words import JobKind, RunState, Trigger


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


class SparkView(Wire):
    """A run's objective in a few points."""

    run: int
    metric: str
    """What early stopping watches: `validation/OBJECTIVE`, or `train/loss` where nothing was validated yet."""
    step: int
    """Of the latest value."""
    latest: float | None
    best: float | None
    """The highest or the lowest, whichever is better."""
    values: list[float | None]
    """At equal distances of steps, from the first to the latest."""


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


class LogChunk(Wire):
    """A piece of a log file; ask again from `offset`."""

    text: str
    offset: int
    size: int
    dropped: int
    """Bytes that the size cap has thrown away, oldest first."""
    ended: bool = False
    """The run has ended: nothing will be added."""


class LogHit(Wire):
    """A line of a log that holds what was looked for."""

    offset: int | None
    """Byte at which it stands, counted as in a LogChunk; None: it was not found."""
    line_offset: int | None = None
    """Byte at which its line begins."""
    line: str = ""
    """Without its end; of a very long line the part around it."""
    next_line: int = 0
    """Byte from which the search goes on to another line."""
    size: int
    """Of the log when it was searched."""
