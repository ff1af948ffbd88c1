"""What a column looks like now, laid over what it is held against. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tui.charts.plot import Look, Style, plot
from tui.charts.series import Series
from tui.rows.heat import SHORT, compared
from tui.rows.watched import MEASURES
from tui.rows.words import count, percent, stretch
from tui.table.column import Cell, Frame
from tui.text import Line, Lines, line

if TYPE_CHECKING:
    from store.wire import ShapePart, ShapeView, WatchWindowView

_WORD: Final = 20
"""Cells of the longest word."""


def overlay(view: ShapeView, window: WatchWindowView, width: int, height: int, style: Style, frame: Frame) -> Lines:
    """At most `height` lines: whose rows, how far apart they are, the picture, what has no place in it.

    `window`: the one whose rows they are.
    """
    head = [
        line(
            (view.column, "strong"),
            f"  {count(view.rows)} rows, {stretch(view.start, view.end, frame)}",
            (f"  against {count(view.reference_rows)}", "dim"),
        ),
        *_measures(view.column, window),
    ]
    tail = _beside(view)
    room = max(4, height - len(head) - len(tail))
    stretches = [part for part in view.parts if part.low is not None and part.high is not None and not part.label]
    drawn = numbers(stretches, width, room, style) if stretches else words(view.parts, width, room, style)
    return [*head, *drawn, *tail]


def _measures(column: str, window: WatchWindowView) -> list[Line]:
    """Those that can alarm, each with its limit."""
    found = next((one for one in window.columns if one.name == column), None)
    if found is None:
        return []
    told = [name for name in MEASURES if name in found.measures and name in found.limits]
    cells = [compared(SHORT.get(name, name), found.measures[name], found.limits[name]) for name in told]
    return [line(*(part for cell in cells for part in (cell, "   ")))] if cells else []


def numbers(parts: list[ShapePart], width: int, height: int, style: Style) -> Lines:
    """Shares in percent over the values, each stretch at its middle."""
    middle = [((part.low or 0.0) + (part.high or 0.0)) / 2 for part in parts]
    now = Series.of("% now", middle, [part.current * 100 for part in parts])
    before = Series.of("% before", middle, [part.reference * 100 for part in parts])
    return plot([now, before], width, height, Look(style=style, values=True)).lines


def words(parts: list[ShapePart], width: int, height: int, style: Style) -> Lines:
    """A line a word: what both have, what is new (▒ more), what has gone (░ less)."""
    both, more, less = "#+-" if style == "ascii" else "█▓░"
    names = min(_WORD, max((len(part.label) for part in parts), default=0))
    most = max((max(part.reference, part.current) for part in parts), default=0.0) or 1.0
    room = max(8, width - names - 24)
    lines: list[Line] = [line((f"{both} as before   ", "live"), (f"{more} more   ", "warn"), (f"{less} less", "dim"))]
    for part in parts[: max(1, height - 1)]:
        now, before = round(part.current / most * room), round(part.reference / most * room)
        common = min(now, before)
        lines.append(
            line(
                f"{_cut(part.label, names):<{names}}  ",
                (both * common, "live"),
                (more * (now - common), "warn"),
                (less * (before - common), "dim"),
                " " * (room - max(now, before)),
                f"  {percent(part.current):>6}",
                (f" of {percent(part.reference):>6}", "dim"),
            )
        )
    return lines


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(0, width - 1)] + "…"


def _beside(view: ShapeView) -> list[Line]:
    """Rows without a value, and what the reference hardly knew, where there are any."""
    found = [
        ("missing", view.missing, view.reference_missing),
        ("new words" if view.kind == "categorical" else "no numbers", view.others, view.reference_others),
    ]
    return [
        line(
            (f"{name}  ", "dim"),
            Cell(f"{percent(now)}", "warn" if now > before else ""),
            (f" before {percent(before)}", "dim"),
        )
        for name, now, before in found
        if now or before
    ]
