"""What the screens ask the daemon for beyond single nouns: the machine room, jobs and queue, sources, lineage.

A part of `tui.client.Client`, apart from it only to keep both short.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, TypeVar

from store.wire import (
    BackfillDone,
    BackfillPlan,
    BackfillRequest,
    BoxHistoryView,
    DoctorView,
    JobView,
    Page,
    QueueView,
    SystemView,
    TimetableView,
    Wire,
)

W = TypeVar("W", bound=Wire)


class Views(ABC):
    """One method a route, as in the client."""

    @abstractmethod
    def _get(self, view: type[W], path: str, **query: Any) -> W: ...

    @abstractmethod
    def _post(self, view: type[W], path: str, body: Wire | dict[str, Any] | None = None) -> W: ...

    # -------------------------------------------------------------------------------------- the machine room

    def system(self) -> SystemView:
        return self._get(SystemView, "/system")

    def box_history(self, *, minutes: int = 60, points: int = 120) -> BoxHistoryView:
        return self._get(BoxHistoryView, "/box/history", minutes=minutes, points=points)

    def doctor(self, *, fresh: bool = False) -> DoctorView:
        """What it found within the last minute; with `fresh`, now."""
        return self._get(DoctorView, "/doctor", fresh=fresh)

    # ------------------------------------------------------------------------------------------ jobs and queue

    def jobs(self) -> list[JobView]:
        """Each with its last runs and how long the next one will take."""
        return self._get(Page[JobView], "/jobs").items

    def queue(self, *, limit: int = 100) -> QueueView:
        """In the order of service, each with what it waits for."""
        return self._get(QueueView, "/queue", limit=limit)

    def timetable(self, *, count: int = 3, past: int = 10, after: str | None = None) -> Page[TimetableView]:
        """Schedules with their next `count` times and the runs of their last `past` ones."""
        return self._get(Page[TimetableView], "/timetable", count=count, past=past, after=after)

    def backfill_plan(self, schedule: str, request: BackfillRequest) -> BackfillPlan:
        asked = request.model_dump(mode="json")
        return self._get(BackfillPlan, f"/schedules/{schedule}/backfill", **asked)

    def backfill(self, schedule: str, request: BackfillRequest) -> BackfillDone:
        return self._post(BackfillDone, f"/schedules/{schedule}/backfill", request)
