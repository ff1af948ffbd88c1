"""Intervals over time about the line of no difference: a bar a look, from its lower to its upper end. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from tui.charts.ticks import Scale, clock_step, labels, scale_of, ticks, written_along
from tui.table.column import Cell
from tui.text import Line
from tui.themes import Tone

_LEFT: Final = 9
"""Cells for what is written at y."""
_A_LABEL: Final = 12
_DENSE: Final = 3
"""From a look in so many columns on, bars would be a hatching: their ends are drawn as two lines instead."""
_BEYOND: Final = 4
"""Columns from one arrow to the next, where the interval goes on beyond the picture."""


class _Glyphs(NamedTuple):
    top: str
    inside: str
    bottom: str
    value: str
    zero: str
    through: str
    roof: str
    floor: str
    up: str
    down: str
    axis: str
    tick: str
    corner: str
    mark: str


_DRAWN: Final = _Glyphs("┬", "│", "┴", "●", "─", "┼", "▔", "▁", "↑", "↓", "│", "┤", "└", "┬")
_ASCII: Final = _Glyphs("+", "|", "+", "o", "-", "+", "=", "=", "^", "v", "|", "|", "+", "+")
_Grid = list[list[Cell]]


@dataclass(frozen=True)
class Bar:
    """One look: seconds at x; a value alone where the interval is not known yet."""

    x: float
    value: float | None
    low: float | None
    high: float | None
    tone: Tone = "live"


def intervals(
    bars: Sequence[Bar],
    width: int,
    height: int,
    name_times: Callable[[Sequence[float]], list[str]],
    *,
    ascii: bool = False,
) -> list[Line]:
    """At most `height` lines of at most `width` cells; none where there is no value or no room.

    y holds zero, every value, and the ends of the newer half of the looks: the first intervals are so wide that the
    last ones would be a line beside them. One that goes on beyond the picture has no end there.
    """
    known = [bar for bar in bars if bar.value is not None]
    rows, inner = height - 2, width - _LEFT - 1
    if not known or rows < 3 or inner < 8:
        return []
    glyphs = _ASCII if ascii else _DRAWN
    y = _heights(known)
    x = Scale(known[0].x, max(known[-1].x, known[0].x + 1.0))
    grid = [[Cell(" ") for _ in range(inner)] for _ in range(rows)]
    grid[y.rows(rows)(0.0)] = [Cell(glyphs.zero, "dim")] * inner
    columns = {min(int(x.share(bar.x) * inner), inner - 1): bar for bar in known}  # the last look of a column is seen
    draw = _outline if len(columns) * _DENSE > inner else _bars
    draw(grid, columns, y, glyphs)
    at = _written(y, rows)
    lines: list[Line] = []
    for row, cells in enumerate(grid):
        side = at.get(row, "").rjust(_LEFT)[:_LEFT] + (glyphs.tick if row in at else glyphs.axis)
        lines.append((Cell(side, "dim"), *_joined(cells)))
    return [*lines, *_times(x, inner, name_times, glyphs)]


def _heights(known: Sequence[Bar]) -> Scale:
    newer = known[len(known) // 2 :]
    ends = [end for bar in newer for end in (bar.low, bar.high) if end is not None]
    return scale_of([0.0, *ends, *(bar.value for bar in known if bar.value is not None)])


def _bars(grid: _Grid, columns: Mapping[int, Bar], y: Scale, glyphs: _Glyphs) -> None:
    """Each look as a bar of its own."""
    row_of = y.rows(len(grid))
    for column, bar in columns.items():
        if bar.low is not None and bar.high is not None:
            for row in range(row_of(bar.high), row_of(bar.low) + 1):
                grid[row][column] = Cell(glyphs.through if row == row_of(0.0) else glyphs.inside, bar.tone)
            if bar.high <= y.high:
                grid[row_of(bar.high)][column] = Cell(glyphs.top, bar.tone)
            if bar.low >= y.low:
                grid[row_of(bar.low)][column] = Cell(glyphs.bottom, bar.tone)
        _dot(grid, column, bar, y, glyphs)


def _outline(grid: _Grid, columns: Mapping[int, Bar], y: Scale, glyphs: _Glyphs) -> None:
    """The ends as two lines; what a look has said holds until the next one. Neither is drawn across zero: on which side
    of it an end lies is what matters.
    """
    row_of, bar, last = y.rows(len(grid)), columns[0], len(grid) - 1
    zero = row_of(0.0)
    for column in range(len(grid[0])):
        bar = columns.get(column, bar)
        if bar.low is None or bar.high is None:
            continue
        arrow = column % _BEYOND == 0
        if bar.high <= y.high:
            row = max(row_of(bar.high), zero + 1) if bar.high < 0.0 else row_of(bar.high)
            grid[min(row, last)][column] = Cell(glyphs.roof, bar.tone)
        elif arrow:
            grid[0][column] = Cell(glyphs.up, "dim")
        if bar.low >= y.low:
            row = min(row_of(bar.low), zero - 1) if bar.low > 0.0 else row_of(bar.low)
            grid[max(row, 0)][column] = Cell(glyphs.floor, bar.tone)
        elif arrow:
            grid[-1][column] = Cell(glyphs.down, "dim")
    for column, seen in columns.items():
        _dot(grid, column, seen, y, glyphs)


def _dot(grid: _Grid, column: int, bar: Bar, y: Scale, glyphs: _Glyphs) -> None:
    if bar.value is not None:
        tone: Tone = bar.tone if bar.low is not None else "dim"
        grid[y.rows(len(grid))(bar.value)][column] = Cell(glyphs.value, tone)


def _written(y: Scale, rows: int) -> dict[int, str]:
    """Row → what is written there; at zero always."""
    values = ticks(y, max(1, rows // 3))
    row_of = y.rows(rows)
    texts = [
        "0" if value == 0 else f"+{text}" if value > 0 else text
        for value, text in zip(values, labels(values), strict=True)
    ]
    return {**{row_of(value): text for value, text in zip(values, texts, strict=True)}, row_of(0.0): "0"}


def _joined(cells: Sequence[Cell]) -> list[Cell]:
    """Neighbours of one tone as one cell."""
    out: list[Cell] = []
    for cell in cells:
        if out and out[-1].tone == cell.tone:
            out[-1] = Cell(out[-1].text + cell.text, cell.tone)
        else:
            out.append(cell)
    return out


def _times(x: Scale, inner: int, name_times: Callable[[Sequence[float]], list[str]], glyphs: _Glyphs) -> list[Line]:
    values = ticks(x, max(1, inner // _A_LABEL), clock_step)
    places = [min(int(x.share(value) * inner), inner - 1) for value in values]
    rule, words = written_along(places, name_times(values), inner, glyphs.zero, glyphs.mark)
    return [
        (Cell(" " * _LEFT + glyphs.corner + "".join(rule), "dim"),),
        (Cell(" " * (_LEFT + 1) + "".join(words).rstrip(), "dim"),),
    ]
