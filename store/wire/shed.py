"""The shed as a whole: its state, its machine, what changed."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal

from pydantic import Field

from store.wire.alerts import AlertView
from store.wire.base import Wire
from store.wire.data import DatasetView
from store.wire.events import EventView
from store.wire.models import AliasView, ModelView, VersionView
from store.wire.runs import RunView
from store.wire.schedules import ScheduleView
from store.words import RunState


class GpuView(Wire):
    index: int
    name: str
    memory_used: int
    memory_total: int
    utilisation: float


class BoxView(Wire):
    """The machine, at the last sample."""

    at: datetime
    cpu_percent: float
    cpu_count: int
    memory_used: int
    memory_total: int
    disk_free: int
    disk_total: int
    received: float | None = None
    """Bytes a second over all networks but the loopback; None where the kernel does not count."""
    sent: float | None = None
    read: float | None = None
    """Bytes a second from all disks."""
    written: float | None = None
    gpus: list[GpuView] = []


class NeedTarget(Wire):
    """The object that a need is about, so that a screen can open it or act on it."""

    kind: Literal["run", "job", "schedule", "dataset", "version", "queue", "daemon", "alert"]
    name: str
    """Of a run its job; of a version its model; of an alert its model, or its source; empty for the queue and the
    daemon."""
    number: int | None = None
    """A run's, a version's, or an alert's."""


NeedSeverity = Literal["fail", "warn", "note"]
NeedAction = Literal["look", "resume", "run", "plan", "check", "doctor", "acknowledge"]
"""look: open it; resume: the schedule; run: the job; plan: a promotion; check: the project file; doctor: the box;
acknowledge: the alert."""


class NeedView(Wire):
    """Something a person should look at, and the command that acts on it."""

    subject: str
    severity: NeedSeverity
    message: str
    command: str
    action: NeedAction
    """What the command does, for programs: on `target`."""
    target: NeedTarget
    at: datetime | None = None
    """Since when; None: it is so now."""


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
    """The worst first, of equal ones the newest; at most fifty."""
    production: list[AliasView]
    next_schedules: list[ScheduleView]
    rev: int


MOST_CHANGES: Final = 500
"""Runs, versions, events and alerts in one answer, those that changed last: who was away for longer reads the lists."""


class ChangesView(Wire):
    """What changed after a revision: whole views, newest state only (intermediate ones are not kept)."""

    rev: int
    runs: list[RunView] = []
    datasets: list[DatasetView] = []
    models: list[ModelView] = []
    versions: list[VersionView] = []
    schedules: list[ScheduleView] = []
    events: list[EventView] = []
    monitors: list[str] = []
    """Names of those with a new report, or with windows that changed."""
    alerts: list[AlertView] = []
    told: list[int] = []
    """Numbers of those of which a message to a channel was made, tried, sent or given up."""


class ShutdownRequest(Wire):
    drain: bool = Field(default=False, description="First let the runs end; start no new ones.")
