"""When jobs run."""

from __future__ import annotations

from datetime import datetime

from store.wire.base import Wire
from store.words import CatchUp, Overlap


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
