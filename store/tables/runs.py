"""Runs, their attempts, and what they depend on."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from store.tables.base import Json, big, json_column


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
    scheduled_for: int | None = big(default=None)
    group: int | None = Field(default=None, index=True)
    params: Json = json_column()
    force: bool = False
    priority: int = 0
    pool: str = "default"
    slots: int = 1
    attempt: int = 0
    max_attempts: int = 1
    retry_delay_s: float = 10.0
    timeout_s: float | None = None
    stall_s: float | None = None
    created_at: int = big()
    not_before: int | None = big(default=None)
    started_at: int | None = big(default=None)
    ended_at: int | None = big(default=None)
    last_event_at: int | None = big(default=None)
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


class RunCount(SQLModel, table=True):
    """How many runs are in a state; kept up to date by store/tables/kept.py."""

    __tablename__ = "run_count"
    __table_args__ = {"sqlite_with_rowid": False}
    state: str = Field(primary_key=True)
    runs: int
    entered: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    """How often a run came into it: a number that only grows, also when a run that has ended is tried again."""


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
    started_at: int | None = big(default=None)
    ended_at: int | None = big(default=None)
    spool_offset: int = 0
    spool_seq: int = 0
    peak_rss: int | None = big(default=None)
    cpu_s: float | None = None
