"""A whole chart as lines of cells: legend, axes, curves, crosshair. Pure: what a widget, a test or a pipe can print."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from tui.charts import dots, marks
from tui.charts.series import WEIGHTS, Series
from tui.charts.ticks import (
    Scale,
    clock_labels,
    clock_step,
    date_labels,
    day_labels,
    labels,
    moment_label,
    nice_step,
    scale_of,
    ticks,
    told_apart,
    written_along,
)
from tui.rows.words import count, figure, span
from tui.table.column import Cell
from tui.text import Line
from tui.themes import Tone

MOST: Final = 8
"""Curves in one chart; more cannot be told apart."""
TONES: Final[tuple[Tone, ...]] = ("live", "mark", "warn", "key", "good", "", "bad", "dim")
Style = Literal["braille", "blocks", "ascii"]
_EVERY: Final = 24
"""Cells between two marks on a curve, where there are several."""
_LEGEND_LINES: Final = 3
_MARK: Final = (("╎", -3), (":", -3))
"""The line of what happened, and in ASCII."""
_LEFT: Final = 7
"""Cells for what is written at y: always as many, so that nothing moves when a curve grows."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """How curves are looked at."""

    log: bool = False
    smooth: int = 0
    """Index into `series.WEIGHTS`."""
    by_time: bool = False
    """x is seconds, not steps."""
    of_day: bool = False
    """Those seconds are counted from a midnight: what is written at x is the time of day."""
    since: datetime | None = None
    """That midnight, where more than a day is drawn: what is written at x is the day, or the time of one."""
    values: bool = False
    """x is a number like any other, not a step: what is written there may have a fraction."""
    marks: tuple[float, ...] = ()
    """x of what happened meanwhile: an upright line each."""
    marked: str = ""
    """What that was, for the legend."""
    cross: float | None = None
    """x of the crosshair."""
    style: Style = "braille"
    until: float | None = None
    """Where x ends, if more is to come: the picture then stands still while the curve grows into it."""


@dataclass(frozen=True)
class Plot:
    """What was drawn."""

    lines: list[Line]
    x: Scale
    left: int
    """Cells before the first column of the curves."""
    width: int
    """Cells of the curves."""

    def x_at(self, cell: int) -> float:
        """x in the middle of a column of the curves."""
        return self.x.low + (self.x.high - self.x.low) * (min(max(cell, 0), self.width - 1) + 0.5) / self.width

    def cell_at(self, x: float) -> int:
        return min(max(int(self.x.share(x) * self.width), 0), self.width - 1)


def plot(wanted: Sequence[Series], width: int, height: int, look: Look, empty: str = "no points yet") -> Plot:
    """At most `MOST` series in `width` x `height` cells; what does not fit is left out, nothing is ever outside.

    The series are `prepared` for the look.
    """
    shown = list(wanted[:MOST])
    points = [series for series in shown if series.xs]
    legend = _legend(shown, width, look, len(wanted) - len(shown))
    legend = legend[: max(0, height - 3)]
    x = _x(points, look)
    rows, left = height - len(legend) - 2, min(_LEFT, max(width // 4, 1))
    inner = width - left - 1
    if rows < 1 or inner < 2 or not points:
        return Plot(_blank(legend, width, height, "" if points else empty), x, left + 1, max(inner, 1))
    columns = [dots.buckets(series, x, inner * (2 if look.style == "braille" else 1)) for series in shown]
    y = scale_of([v for found in columns for b in found for v in (b.low, b.high)], log=look.log)
    cells = _curves(shown, columns, y, inner, rows, look.style)
    for mark in look.marks:
        if x.low <= mark <= x.high:
            _upright(cells, min(int(x.share(mark) * inner), inner - 1), *_MARK[look.style == "ascii"])
    if look.cross is not None:
        _cross(cells, min(max(int(x.share(look.cross) * inner), 0), inner - 1), look)
    at = _y_axis(y, rows, left)
    bar = "|" if look.style == "ascii" else "┤"
    plain = "|" if look.style == "ascii" else "│"
    lines: list[Line] = list(legend)
    for row in range(rows):
        axis = at.get(row, "").rjust(left)[:left] + (bar if row in at else plain)
        lines.append((Cell(axis, "dim"), *_joined(cells[row])))
    return Plot([*lines, *_x_axis(x, left, inner, look)], x, left + 1, inner)


def prepared(series: Series, look: Look) -> Series:
    """Smoothed, and without what a logarithm does not have: to be kept as long as points and look are the same."""
    smooth = series.smoothed(WEIGHTS[look.smooth])
    return smooth.positive() if look.log else smooth


def _x(points: Sequence[Series], look: Look) -> Scale:
    if not points:
        return Scale(0.0, 1.0)
    low, high = min(s.xs[0] for s in points), max(s.xs[-1] for s in points)
    high = max(high, look.until) if look.until is not None else high
    return Scale(low, high) if high > low else Scale(low - 0.5, low + 0.5)


# ---- curves ----------------------------------------------------------------------------------------------------------


def _curves(
    shown: Sequence[Series], columns: Sequence[Sequence[dots.Bucket]], y: Scale, width: int, height: int, style: Style
) -> marks.Picture:
    if style == "ascii":
        return marks.marks(columns, y, width, height, marks.LETTERS)
    if style == "blocks":
        if len(columns) == 1:
            return marks.area(columns[0], y, width, height)
        return marks.marks(columns, y, width, height, marks.GLYPHS)
    grids = [dots.draw(found, one.breaks, y, width, height) for one, found in zip(shown, columns, strict=True)]
    picture = [_merged([grid[row] for grid in grids], width) for row in range(height)]
    if len(shown) > 1:
        for number in reversed(range(len(shown))):
            if columns[number]:
                _mark(picture, grids[number], number, columns[number][-1].place >> 1)
    return picture


def _merged(rows: Sequence[bytearray], width: int) -> list[tuple[str, int]]:
    """Dots of all series; a cell has the look of the first that is in it."""
    line = [(" ", -1)] * width
    masks = bytearray(width)
    for number in reversed(range(len(rows))):
        row = rows[number]
        if not any(row):
            continue
        for place, mask in enumerate(row):
            if mask:
                masks[place] |= mask
                line[place] = (chr(0x2800 + masks[place]), number)
    return line


def _mark(picture: marks.Picture, grid: dots.Grid, number: int, end: int) -> None:
    """The mark of a series at its end and here and there along it."""
    for place in (*range((number * 3 + 5) % _EVERY, end, _EVERY), end):
        row = next((n for n, masks in enumerate(grid) if masks[place]), None)
        if row is not None:
            picture[row][place] = (marks.GLYPHS[number], number)


def _cross(cells: marks.Picture, place: int, look: Look) -> None:
    _upright(cells, place, "|" if look.style == "ascii" else "┊", -2)


def _upright(cells: marks.Picture, place: int, glyph: str, owner: int) -> None:
    """A line over the whole height, behind the curves."""
    for row in cells:
        if row[place][1] < 0:
            row[place] = (glyph, owner)


def _joined(row: Sequence[tuple[str, int]]) -> list[Cell]:
    """Neighbours of one look as one cell."""
    out: list[Cell] = []
    text, owner = "", -1
    for glyph, number in row:
        if number != owner and text:
            out.append(Cell(text, _tone(owner)))
            text = ""
        owner = number
        text += glyph
    return [*out, Cell(text, _tone(owner))]


def _tone(number: int) -> Tone:
    return TONES[number] if number >= 0 else {-2: "key", -3: "mark"}.get(number, "")  # type: ignore[return-value]


# ---- around them -----------------------------------------------------------------------------------------------------


def _legend(shown: Sequence[Series], width: int, look: Look, left_out: int) -> list[Line]:
    """Mark, name and value of each series; the value where the crosshair is, else the newest."""
    parts: list[list[Cell]] = []
    if look.cross is not None:
        where = _where(look.cross, look)
        parts.append([Cell(f"┊ {where}" if look.style != "ascii" else f"| {where}", "key")])
    glyphs = marks.LETTERS if look.style == "ascii" else marks.GLYPHS
    for number, series in enumerate(shown):
        point = (series.xs[-1], series.ys[-1]) if series.xs else None
        point = series.at(look.cross) if look.cross is not None else point
        value = figure(point[1]) if point is not None else "-"
        parts.append([Cell(f"{glyphs[number]} ", TONES[number]), Cell(f"{series.label} "), Cell(value, "strong")])
        if look.values and look.cross is None:
            parts[-1].pop()  # of a distribution, the last value says nothing
    if look.marks:
        parts.append([Cell(f"{_MARK[look.style == 'ascii'][0]} ", "mark"), Cell(look.marked)])
    if left_out > 0:
        parts.append([Cell(f"+{left_out} more", "dim")])
    return _wrapped(parts, width)


def _where(x: float, look: Look) -> str:
    if look.values:
        return figure(x)
    if not look.by_time:
        return f"step {count(x)}"
    if look.since is not None:
        return moment_label(x, look.since)
    return day_labels([x], seconds=True)[0] if look.of_day else span(x)


def _wrapped(parts: Sequence[Sequence[Cell]], width: int) -> list[Line]:
    lines: list[list[Cell]] = [[]]
    room = width
    for part in parts:
        size = sum(len(cell.text) for cell in part)
        if lines[-1] and size + 3 > room:
            lines.append([])
            room = width
        if lines[-1]:
            lines[-1].append(Cell("   "))
            room -= 3
        lines[-1] += [Cell(cell.text[: max(0, width)], cell.tone) for cell in part]
        room -= size
    return [tuple(_cut(line, width)) for line in lines[:_LEGEND_LINES] if line]


def _cut(line: Sequence[Cell], width: int) -> list[Cell]:
    out: list[Cell] = []
    for cell in line:
        out.append(Cell(cell.text[:width], cell.tone))
        width -= len(cell.text)
        if width <= 0:
            break
    return out


def _y_axis(y: Scale, rows: int, left: int) -> dict[int, str]:
    """Row → what is written there; no two in neighbouring rows."""
    values = ticks(y, max(1, rows // 3))
    row_of = y.rows(rows)
    texts = told_apart([text[:left] for text in labels(values)])
    return {row_of(value): text for value, text in zip(values, texts, strict=True)}


def _x_axis(x: Scale, left: int, width: int, look: Look) -> list[Line]:
    most = max(1, width // 12)
    values = ticks(x, most, clock_step if look.by_time else nice_step)
    if not (look.by_time or look.values):
        values = [value for value in values if value == int(value)] or values
    places = [min(max(int(x.share(value) * width), 0), width - 1) for value in values]
    glyphs, corner = (("-", "+"), "+") if look.style == "ascii" else (("─", "┬"), "└")
    rule, words = written_along(places, _written(values, look), width, *glyphs)
    return [
        (Cell(" " * left + corner + "".join(rule), "dim"),),
        (Cell(" " * (left + 1) + "".join(words), "dim"),),
    ]


def _written(values: Sequence[float], look: Look) -> list[str]:
    """What stands at places of x."""
    if not look.by_time:
        return labels(values)
    if look.since is not None:
        return date_labels(values, look.since)
    return (day_labels if look.of_day else clock_labels)(values)


def _blank(legend: Sequence[Line], width: int, height: int, words: str) -> list[Line]:
    """A chart without curves."""
    lines: list[Line] = [*legend, *[(Cell(""),)] * max(0, height - len(legend))]
    if words and height > len(legend):
        lines[len(legend) + (height - len(legend)) // 2] = (Cell(words.center(width)[:width], "dim"),)
    return lines[:height]
