"""Distributions of a monitor's columns, window by window: each is asked for once, and one of them is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from tui.rows.shape import overlay
from tui.text import line

if TYPE_CHECKING:
    from store.wire import ShapeView, WatchWindowView
    from tui.failure import Failure
    from tui.fitted import Fitted
    from tui.screens.base import ShedScreen
    from tui.text import Lines

_KEPT: Final = 100
_Key = tuple[str, int, datetime, datetime | None]
"""Column, version, start of the window, and when it was told again: it has other rows since then."""


class Shapes:
    """Profiles are read by a process of its own: nothing is asked that is not looked at."""

    def __init__(self, screen: ShedScreen, monitor: str) -> None:
        self._screen = screen
        self._monitor = monitor
        self._known: dict[_Key, ShapeView] = {}
        self._wanted: _Key | None = None

    def keep(self, found: ShapeView, restated_at: datetime | None = None) -> None:
        """As if it had been asked for."""
        self._known[found.column, found.version, found.start, restated_at] = found
        if len(self._known) > _KEPT:
            self._known.pop(next(iter(self._known)))

    def look_at(self, column: str, window: WatchWindowView, places: Sequence[Fitted]) -> None:
        """Draws it in all its places, as soon as it is there."""
        key = self._wanted = column, window.version, window.start, window.restated_at
        if key in self._known:
            self._draw(self._known[key], window, places)
            return
        _say([line(("… reading the profiles of both", "dim"))], places)

        def draw(found: ShapeView) -> None:
            self.keep(found, window.restated_at)
            if key == self._wanted:
                self._draw(found, window, places)

        def refuse(failure: Failure) -> None:
            if key == self._wanted:
                _say([line((f"✘ {failure.what}", "bad")), line(f"→ {failure.remedy}")], places)

        monitor = self._monitor
        self._screen.ask(
            "shape",
            lambda daemon: daemon.shape(monitor, column, version=window.version, start=window.start),
            draw,
            refuse,
        )

    def _draw(self, found: ShapeView, window: WatchWindowView, places: Sequence[Fitted]) -> None:
        style, frame = self._screen.shed.chart_style, self._screen.shed.frame
        for place in places:
            place.draw(lambda width, height: overlay(found, window, width, height, style, frame))


def _say(lines: Lines, places: Sequence[Fitted]) -> None:
    for place in places:
        place.show(lines)
