"""The shed as a whole: its state, its machine, what changed."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

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


class NeedView(Wire):
    """Something a person should look at, and the command that acts on it."""

    subject: str
    message: str
    command: str


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


class ChangesView(Wire):
    """What changed after a revision: whole views, newest state only (intermediate ones are not kept)."""

    rev: int
    runs: list[RunView] = []
    datasets: list[DatasetView] = []
    models: list[ModelView] = []
    versions: list[VersionView] = []
    schedules: list[ScheduleView] = []
    events: list[EventView] = []


class ShutdownRequest(Wire):
    drain: bool = Field(default=False, description="First let the runs end; start no new ones.")
