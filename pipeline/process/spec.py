"""What a worker is told: `spec.json`, written by the daemon before an attempt starts.

A worker never opens the record; what it needs to know of it stands in `context`.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from store.words import DeviceChoice, JobKind


class ProductionFacts(BaseModel):
    """The version that candidates are compared with."""

    model_config = ConfigDict(frozen=True)
    version: int
    digest: str
    """Names the bundle: `home.bundle(digest)`."""


class WatchedVersion(BaseModel):
    """A version whose answers a monitor watches."""

    model_config = ConfigDict(frozen=True)
    version: int
    digest: str
    training_set: str
    objective: str
    metrics: dict[str, dict[str, Any]] = {}
    """Of its evidence: name → {value, low, high, level}."""
    made_us: int
    since_us: int
    """In production from then on…"""
    until_us: int | None
    """…to then; None: still."""


class KnownWindow(BaseModel):
    """A window that the record has."""

    model_config = ConfigDict(frozen=True)
    version: int
    start_us: int
    end_us: int
    token: str


class KnownStream(BaseModel):
    """The errors of a version as far as they were followed."""

    model_config = ConfigDict(frozen=True)
    version: int
    until_us: int
    state: dict[str, Any]
    """As `pipeline.watching.errorstream.StreamState` writes it."""


class MonitorFacts(BaseModel):
    """What the record knows that a `monitor` run needs."""

    model_config = ConfigDict(frozen=True)
    versions: list[WatchedVersion] = []
    """That have windows, or are in production, oldest first; empty of a dataset."""
    windows: list[KnownWindow] = []
    """The newest, oldest first."""
    streams: list[KnownStream] = []
    """Of these versions."""


class RecordFacts(BaseModel):
    """What the record knows that this run needs."""

    model_config = ConfigDict(frozen=True)
    production: ProductionFacts | None = None
    last_fingerprint: str = ""
    """Of the last good run of the same job; equal to this run's means there is nothing to do."""
    last_run: int | None = None
    evaluate: ProductionFacts | None = None
    """The version that an `evaluate` run judges again."""
    predict: ProductionFacts | None = None
    """The version that a `batch-predict` run asks; None when its alias points nowhere."""
    monitor: MonitorFacts | None = None
    """Of a `monitor` run."""
    scheduled_for: datetime | None = None
    """The time of its schedule, UTC, for which this run, or the one that it is the upstream of, stands."""


class RunSpec(BaseModel):
    model_config = ConfigDict(frozen=True)
    run: int
    attempt: int
    nonce: str
    job: str
    kind: JobKind
    target: str
    project: Path
    home: Path
    params: dict[str, Any] = {}
    force: bool = False
    device: DeviceChoice = "auto"
    gpu: int | None = None
    """Index of the leased GPU."""
    gpu_memory: float = 1.0
    log_bytes: int = 64_000_000
    grace_s: float = 30.0
    context: RecordFacts = RecordFacts()
