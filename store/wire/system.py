"""The machine room: the daemon itself, its record and folders, processes, devices, and the box over time."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from store.wire.base import Wire
from store.wire.shed import GpuView
from store.words import RunState, Verdict


class DaemonView(Wire):
    """The daemon as a process."""

    pid: int
    version: str
    started_at: datetime
    rss: int
    cpu_percent: float
    """Of one CPU, since the question before; the first time since its start."""
    cpu_seconds: float
    threads: int
    open_files: int
    revision: int
    degraded: str | None
    """Why no new run is started, or None."""


class BackupView(Wire):
    """The last backup that came to its end."""

    run: int
    at: datetime
    path: str
    """From the root, or from the home for one that is kept there."""
    bytes: int


class RecordView(Wire):
    """The SQLite file that everything stands in."""

    path: str
    bytes: int
    wal_bytes: int
    """Of the write-ahead log, which the next checkpoint moves into the file."""
    rows: dict[str, int]
    """Of the tables that grow, as far as they were counted."""
    sqlite: str
    sqlite_verdict: Verdict
    sqlite_fact: str
    schema_revision: str
    backup: BackupView | None


class FolderView(Wire):
    """A part of the home and the disk space that is its own; a file linked twice counts in the first folder."""

    name: str
    path: str
    bytes: int
    files: int
    complete: bool
    """False: there were too many files to look at all of them, so it holds more than is said."""


class FoldersView(Wire):
    """Measured behind the scenes, now and then: `at` says when."""

    at: datetime
    folders: list[FolderView]


class ProcessView(Wire):
    """A living process of ours with all its children; `what` says which."""

    what: Literal["daemon", "warm", "serving", "attempt"]
    name: str
    """The job, the libraries that a warm process holds, or which of the serving processes."""
    pid: int
    run: int | None = None
    attempt: int | None = None
    state: RunState | None = None
    rss: int
    cpu_percent: float
    """Of one CPU, since the question before; the first time since its start."""
    cpu_seconds: float
    processes: int
    """It, and what it has started."""
    started_at: datetime


class PoolView(Wire):
    name: str
    used: int
    limit: int
    waiting: int
    """Queued runs that want its slots."""


class LeaseView(Wire):
    run: int
    memory: float
    """Share of the GPU's memory."""


class GpuShareView(Wire):
    gpu: GpuView
    leases: list[LeaseView]


class DevicesView(Wire):
    """What runs can take. `slots`: over all pools."""

    cpu_count: int
    slots_used: int
    slots: int
    pools: list[PoolView]
    gpus: list[GpuShareView]


class SystemView(Wire):
    daemon: DaemonView
    record: RecordView
    folders: FoldersView | None
    """None while they are measured for the first time."""
    processes: list[ProcessView]
    devices: DevicesView


class BoxPoint(Wire):
    """The box in one stretch of time. Rates are bytes a second; None: not measured then."""

    at: datetime
    """The stretch's beginning."""
    cpu_percent: float
    """Mean, of all CPUs together."""
    cpu_peak: float
    memory_used: int
    """Peak."""
    disk_free: int | None
    """Least."""
    received: float | None
    sent: float | None
    read: float | None
    written: float | None
    gpu_memory: int | None


class BoxHistoryView(Wire):
    """Oldest first, evenly spaced; stretches in which nothing was measured are left out."""

    since: datetime
    step_seconds: float
    points: list[BoxPoint]


class FindingView(Wire):
    about: str
    verdict: Verdict
    fact: str
    remedy: str = ""
    """What to do; empty when all is well."""


class DoctorView(Wire):
    """What `trainshed doctor` found, at `at`."""

    verdict: Verdict
    findings: list[FindingView]
    at: datetime
    seconds: float
    """How long it took."""
