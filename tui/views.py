"""What the screens ask the daemon for beyond single nouns: the machine room, jobs and queue, sources, lineage.

A part of `tui.client.Client`, apart from it only to keep both short.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, TypeVar

from store.wire import BoxHistoryView, DoctorView, SystemView, Wire

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
