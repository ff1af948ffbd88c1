"""The widget: curves with a crosshair. It draws again only the cells that differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final, cast

from rich.segment import Segment
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip

from tui.charts.plot import Look, Plot, plot, prepared
from tui.charts.series import WEIGHTS, Curve, Series
from tui.keybindings import bindings
from tui.table.column import fit
from tui.text import Line
from tui.toned import Toned

if TYPE_CHECKING:
    from datetime import datetime

    from textual import events

    from tui.app import ShedApp

_SMOOTH: Final = ("not smoothed", "smoothed a little", "smoothed much")


class Curves(Toned, can_focus=True):
    """Up to eight curves in one picture."""

    BINDINGS = bindings("curves")
    DEFAULT_CSS = "Curves { width: 1fr; height: 1fr; padding: 0 1; } Curves:focus { background: $surface; }"

    class Asked(Message):
        """The operator wants to choose what is drawn."""

        def __init__(self, curves: Curves) -> None:
            super().__init__()
            self.curves = curves

        @property
        def control(self) -> Curves:
            return self.curves

    def __init__(self, *, empty: str = "no points yet", choice: bool = True, id: str | None = None) -> None:
        """`choice`: whether there are other curves to choose."""
        super().__init__(id=id)
        self._choice = choice
        self._timed = False
        """Whether x is time whatever is drawn: there are no steps to go along."""
        self.look = Look()
        self.curves: Sequence[Curve] = ()
        self.empty = empty
        self._ready: dict[int, tuple[tuple[object, ...], Series]] = {}
        self._plot: Plot | None = None

    @property
    def shed(self) -> ShedApp:
        return cast("ShedApp", self.app)

    def show(self, curves: Sequence[Curve], *, until: float | None = None, empty: str | None = None) -> None:
        """Other curves, or the same ones longer. `until`: the step at which they will end, if that is known."""
        self.curves = curves
        self.empty = self.empty if empty is None else empty
        self.look = replace(self.look, until=until)
        self.redraw()

    def along_time(self) -> None:
        """x is time, whatever is drawn."""
        self._timed = True
        self.look = replace(self.look, by_time=True)

    def along_the_day(self) -> None:
        """x is the time of day: seconds since a midnight."""
        self._timed = True
        self.look = replace(self.look, by_time=True, of_day=True)

    def along_the_days(self, since: datetime, marks: Sequence[float] = (), marked: str = "") -> None:
        """x is seconds since that midnight, over days; `marks`: x of what happened meanwhile, `marked` says what."""
        self._timed = True
        self.look = replace(self.look, by_time=True, since=since, marks=tuple(marks), marked=marked)

    def cross_at(self, x: float | None) -> None:
        """Puts the crosshair there, or takes it away; `show` draws it."""
        self.look = replace(self.look, cross=x)

    def redraw(self) -> None:
        """Draws again what differs from the picture on screen."""
        before, after = self._plot, self._draw()
        self._plot = after
        if before is None or len(before.lines) != len(after.lines):
            self.refresh()
            return
        room = self.content_region.offset - self.region.offset
        regions = [
            Region(room.x + first, room.y + y, last - first, 1)
            for y, (old, new) in enumerate(zip(before.lines, after.lines, strict=True))
            for first, last in [_difference(old, new)]
            if last > first
        ]
        if regions:
            self.refresh(*regions)

    def _draw(self) -> Plot:
        look = replace(self.look, style=self.shed.chart_style)
        width, height = self.content_size
        return plot([self._series(curve, look) for curve in self.curves], width, height, look, empty=self.empty)

    def _series(self, curve: Curve, look: Look) -> Series:
        """Made once for each state of a curve and each look."""
        state = (curve.changes, look.smooth, look.log, look.by_time)
        known = self._ready.get(id(curve))
        if known is None or known[0] != state:
            self._ready = {key: kept for key, kept in self._ready.items() if any(id(c) == key for c in self.curves)}
            known = self._ready[id(curve)] = (state, prepared(curve.series(by_time=look.by_time), look))
        return known[1]

    # ---- drawing -----------------------------------------------------------------------------------------------------

    def on_resize(self, _: events.Resize) -> None:
        self._plot = None
        self.refresh()

    def watch_has_focus(self, value: bool) -> None:
        super().watch_has_focus(value)
        self._looks.clear()

    def render_line(self, y: int) -> Strip:
        if self._plot is None:
            self._plot = self._draw()
        lines = self._plot.lines
        line = lines[y] if y < len(lines) else ()
        strip = Strip([Segment(cell.text, self.toned(cell.tone)) for cell in line])
        return strip.crop_extend(0, self.content_size.width, self.toned())

    # ---- keys --------------------------------------------------------------------------------------------------------

    def action_scale(self) -> None:
        self._other(replace(self.look, log=not self.look.log))
        self.shed.say("logarithmic" if self.look.log else "linear")

    def action_smooth(self) -> None:
        self._other(replace(self.look, smooth=(self.look.smooth + 1) % len(WEIGHTS)))
        self.shed.say(_SMOOTH[self.look.smooth])

    def action_axis(self) -> None:
        self._other(replace(self.look, by_time=not self.look.by_time, cross=None))
        self.shed.say("along the time since the first point" if self.look.by_time else "along the steps")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only keys that do something here."""
        if action == "axis" and self._timed:
            return False
        return self._choice or action != "more_series"

    def action_more_series(self) -> None:
        self.post_message(self.Asked(self))

    def action_cross_left(self) -> None:
        self._move(-1)

    def action_cross_right(self) -> None:
        self._move(1)

    def _move(self, way: int) -> None:
        """A cell further; out over an end, the crosshair is gone."""
        drawn = self._plot
        if drawn is None or not any(curve.steps for curve in self.curves):
            return
        now = drawn.cell_at(self.look.cross) if self.look.cross is not None else drawn.width if way < 0 else -1
        there = now + way
        inside = 0 <= there < drawn.width
        self._other(
            replace(self.look, cross=self._nearest(drawn.x_at(there)) if inside else None, until=self.look.until)
        )

    def _nearest(self, x: float) -> float:
        """Where the first curve has a point, if that is in the same cell: a step that was taken, not one between."""
        drawn = self._plot
        point = self._series(self.curves[0], self.look).at(x) if self.curves and drawn is not None else None
        return (
            point[0] if point is not None and drawn is not None and drawn.cell_at(point[0]) == drawn.cell_at(x) else x
        )

    def _other(self, look: Look) -> None:
        self.look = look
        self.redraw()


def named(text: str) -> str:
    """A name from outside as one plain word of a legend."""
    return fit("".join(c if c.isprintable() else "?" for c in text), min(len(text), 40)).rstrip()


def _difference(old: Line, new: Line) -> tuple[int, int]:
    """Columns first … last of what is different in a line."""
    if old == new:
        return 0, 0
    a, b = _flat(old), _flat(new)
    length = max(len(a), len(b))
    first = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    if len(a) != len(b):
        return first, length
    same = next((i for i, (x, y) in enumerate(zip(reversed(a), reversed(b), strict=True)) if x != y), 0)
    return first, length - same


def _flat(line: Line) -> list[tuple[str, str]]:
    return [(glyph, cell.tone) for cell in line for glyph in cell.text]
