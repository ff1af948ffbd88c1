"""The record's tables. Definitions only; what belongs to a noun is in the noun's own file.

Times are integers, microseconds since 1970 UTC (SQLite would drop a zone). JSON columns hold plain data. `rev` is
the record's revision at which the row last changed: `/v1/changes` is a query over it.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

Json = dict[str, Any]


def _json(default: Any = None) -> Any:
    return Field(default_factory=default or dict, sa_column=Column(JSON, nullable=False))


def _time(**options: Any) -> Any:
    return Field(sa_type=BigInteger, **options)


class Meta(SQLModel, table=True):
    """Single values of the whole record: `revision`, `project`, `written_by`."""

    key: str = Field(primary_key=True)
    value: str


class Run(SQLModel, table=True):
    """One execution of a job."""

    __table_args__ = (
        # Exactly one run per nominal time of a schedule, whoever claims it and however often.
        UniqueConstraint("schedule", "scheduled_for", name="run_once_per_time"),
        Index("run_state", "state", "id"),
        Index("run_job", "job", "id"),
        # What the list of runs is sorted and filtered by (store/listing/runs.py).
        Index("run_actor", "actor", "id"),
        Index("run_schedule", "schedule", "id"),
        Index("run_priority", "priority", "id"),
        Index("run_created", "created_at"),
        Index("run_ended", "ended_at"),
        Index("run_took", text("ended_at - started_at")),
        Index("run_said", "id", "reason", "message"),
        # Which runs had not ended at some moment of the past.
        Index("run_span", "ended_at", "created_at"),
    )
    id: int | None = Field(default=None, primary_key=True)
    job: str
    kind: str
    target: str
    state: str = "queued"
    reason: str = ""
    fault: Json | None = Field(default=None, sa_column=Column(JSON))
    trigger: str
    actor: str
    schedule: str | None = None
    scheduled_for: int | None = _time(default=None)
    group: int | None = Field(default=None, index=True)
    params: Json = _json()
    force: bool = False
    priority: int = 0
    pool: str = "default"
    slots: int = 1
    attempt: int = 0
    max_attempts: int = 1
    retry_delay_s: float = 10.0
    timeout_s: float | None = None
    stall_s: float | None = None
    created_at: int = _time()
    not_before: int | None = _time(default=None)
    started_at: int | None = _time(default=None)
    ended_at: int | None = _time(default=None)
    last_event_at: int | None = _time(default=None)
    cancel_requested: str | None = None
    """Who asked for its end, if anybody did."""
    done: float | None = None
    total: float | None = None
    unit: str = ""
    message: str = ""
    eta_s: float | None = None
    fingerprint: str = ""
    """Digest of everything the result depends upon; equal means there is nothing to do."""
    rev: int = Field(default=0, index=True)


class RunDependency(SQLModel, table=True):
    __tablename__ = "run_dependency"
    run: int = Field(primary_key=True, foreign_key="run.id")
    on_run: int = Field(primary_key=True, foreign_key="run.id", index=True)


class Attempt(SQLModel, table=True):
    """One try of a run: a shim, a worker, a spool."""

    run: int = Field(primary_key=True, foreign_key="run.id")
    number: int = Field(primary_key=True)
    nonce: str
    state: str
    reason: str = ""
    boot_id: str = ""
    pid: int | None = None
    pid_created: float | None = None
    lease: Json | None = Field(default=None, sa_column=Column(JSON))
    """The device share it holds: {"device": "gpu:0", "memory": 0.45}."""
    exit_code: int | None = None
    signal: int | None = None
    started_at: int | None = _time(default=None)
    ended_at: int | None = _time(default=None)
    spool_offset: int = 0
    spool_seq: int = 0
    peak_rss: int | None = _time(default=None)
    cpu_s: float | None = None


class MetricKey(SQLModel, table=True):
    """Interned metric names."""

    __tablename__ = "metric_key"
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)


class Metric(SQLModel, table=True):
    """One point. A resumed attempt that computes a step again replaces it: a curve never forks."""

    __table_args__ = {"sqlite_with_rowid": False}
    run: int = Field(primary_key=True)
    key: int = Field(primary_key=True)
    step: int = Field(primary_key=True)
    at: int = _time()
    value: float | None = None


class MetricLatest(SQLModel, table=True):
    """The newest point of each series, kept in the same transaction."""

    __tablename__ = "metric_latest"
    __table_args__ = (Index("metric_latest_value", "key", "value", "run"), {"sqlite_with_rowid": False})
    run: int = Field(primary_key=True)
    key: int = Field(primary_key=True)
    step: int
    at: int = _time()
    value: float | None = None


class Param(SQLModel, table=True):
    run: int = Field(primary_key=True, foreign_key="run.id")
    name: str = Field(primary_key=True)
    value: Any = Field(default=None, sa_column=Column(JSON))


class Artifact(SQLModel, table=True):
    run: int = Field(primary_key=True, foreign_key="run.id")
    name: str = Field(primary_key=True)
    kind: str
    path: str
    digest: str
    bytes: int = _time()
    created_at: int = _time()


class Checkpoint(SQLModel, table=True):
    run: int = Field(primary_key=True, foreign_key="run.id")
    step: int = Field(primary_key=True)
    path: str
    digest: str
    bytes: int = _time()
    created_at: int = _time()


class DatasetVersion(SQLModel, table=True):
    """One version of a dataset or of a feature view's rows: a Delta version and what is known about it."""

    __tablename__ = "dataset_version"
    dataset: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    kind: str
    run: int = Field(foreign_key="run.id", index=True)
    rows: int
    added: int
    removed: int = 0
    quarantined: int = 0
    bytes: int = _time()
    columns: list[Json] = _json(list)
    schema_changes: list[str] = _json(list)
    inputs: Json = _json()
    fingerprint: str
    newest: int | None = _time(default=None)
    note: str = ""
    sample: list[Json] = _json(list)
    created_at: int = _time()
    rev: int = Field(default=0, index=True)


class CheckResult(SQLModel, table=True):
    __tablename__ = "check_result"
    id: int | None = Field(default=None, primary_key=True)
    dataset: str = Field(index=True)
    version: int | None = None
    """None: the rows were refused before they became a version."""
    run: int = Field(foreign_key="run.id", index=True)
    name: str
    kind: str
    severity: str
    outcome: str
    failing: int
    total: int
    allowed: float
    detail: str
    sample: list[Json] = _json(list)
    created_at: int = _time()


class TrainingSet(SQLModel, table=True):
    """The exact rows a model was trained on, as an artefact."""

    __tablename__ = "training_set"
    digest: str = Field(primary_key=True)
    model: str
    run: int = Field(foreign_key="run.id")
    path: str
    rows: int
    columns: list[Json] = _json(list)
    inputs: Json = _json()
    query: str
    created_at: int = _time()


class ModelVersion(SQLModel, table=True):
    """An immutable trained model with its evidence."""

    __tablename__ = "model_version"
    model: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    run: int = Field(foreign_key="run.id", unique=True)
    digest: str
    path: str
    task: str
    objective: str
    metrics: Json = _json()
    baseline: Json = _json()
    evidence: Json = _json()
    signature: Json = _json()
    lineage: Json = _json()
    verdict: Json | None = Field(default=None, sa_column=Column(JSON))
    training_set: str
    fingerprint: str
    created_at: int = _time()
    rev: int = Field(default=0, index=True)


class AliasEvent(SQLModel, table=True):
    """Every move of an alias, for ever; where an alias points is its newest row."""

    __tablename__ = "alias_event"
    __table_args__ = (Index("alias_now", "model", "alias", "id"),)
    id: int | None = Field(default=None, primary_key=True)
    model: str
    alias: str
    action: str
    from_version: int | None = None
    to_version: int
    actor: str
    reason: str = ""
    overridden: bool = False
    gates: list[Json] = _json(list)
    """The verdict as it stood at that moment."""
    created_at: int = _time()


class Schedule(SQLModel, table=True):
    """When a job runs. The project file defines it; whether it is paused is the operator's."""

    __table_args__ = (Index("schedule_due", "enabled", "next_at"),)
    name: str = Field(primary_key=True)
    job: str
    spec: Json = _json()
    timezone: str = "UTC"
    params: Json = _json()
    upstream: bool = True
    overlap: str = "skip"
    catch_up: str = "last"
    catch_up_window_s: float = 86_400.0
    jitter_s: float = 0.0
    pause_after_failures: int | None = None
    enabled: bool = True
    paused_reason: str = ""
    broken: str = ""
    failures: int = 0
    next_at: int | None = _time(default=None)
    last_at: int | None = _time(default=None)
    rev: int = Field(default=0, index=True)


class Event(SQLModel, table=True):
    """One line of the append-only history: who, what, from, to, why."""

    __table_args__ = (Index("event_actor", "actor", "id"),)
    id: int | None = Field(default=None, primary_key=True)
    created_at: int = _time(index=True)
    actor: str
    kind: str = Field(index=True)
    subject: str = Field(index=True)
    message: str
    data: Json = _json()
    rev: int = Field(default=0, index=True)


class ResourceSample(SQLModel, table=True):
    """What a run (or, as run 0, the box) used."""

    __tablename__ = "resource_sample"
    __table_args__ = {"sqlite_with_rowid": False}
    run: int = Field(primary_key=True)
    at: int = Field(primary_key=True, sa_type=BigInteger)
    cpu_percent: float
    rss: int = _time()
    gpu_memory: int | None = _time(default=None)
    disk_free: int | None = _time(default=None)
    """Bytes; this and what follows are known of the box only."""
    received: float | None = None
    """Bytes a second, like the three that follow."""
    sent: float | None = None
    read: float | None = None
    written: float | None = None
