"""Columns of a table and what is in them: missing, distinct, range, histogram, commonest values."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tui.rows.words import bar, count, figure, percent, spark
from tui.table.column import Cell, Column
from tui.text import Line, line, pairs

if TYPE_CHECKING:
    from store.wire import ColumnView, HistogramView

_BARS = 40
"""Cells of the longest bar."""
_HEIGHT = 5
"""Lines of a histogram."""


def columns(rows: int) -> list[Column[ColumnView]]:
    """`rows`: of the version."""
    return [
        Column(key="name", title="column", width=18, draw=lambda c, _: Cell(c.name, "strong")),
        Column(key="type", title="type", width=12, draw=lambda c, _: Cell(c.type, "dim")),
        Column(key="missing", title="missing", width=9, right=True, draw=lambda c, _: missing(c, rows), value=_nulls),
        Column(
            key="distinct",
            title="distinct",
            width=9,
            right=True,
            draw=lambda c, _: Cell(count(c.distinct)),
            value=_distinct,
        ),
        Column(key="shape", title="distribution", width=18, sorts=False, draw=lambda c, _: shape(c)),
        Column(key="low", title="lowest", width=12, draw=lambda c, _: Cell(c.low or "-", "dim")),
        Column(key="high", title="highest", width=12, grows=True, draw=lambda c, _: Cell(c.high or "-", "dim")),
    ]


def missing(column: ColumnView, rows: int) -> Cell:
    """As a share; a column that is empty is marked."""
    if column.nulls is None:
        return Cell("-", "dim")
    if not column.nulls:
        return Cell("0", "dim")
    share = column.nulls / rows if rows else 0.0
    return Cell(f"! {percent(share)}" if share >= 1 else percent(share), "warn")


def shape(column: ColumnView) -> Cell:
    """The histogram in one line, or the commonest value."""
    if column.histogram is not None:
        return Cell(_sparks(column.histogram.counts, 16))
    if column.top:
        return Cell(f"{column.top[0].value} ×{count(column.top[0].count)}", "dim")
    return Cell("")


def profile(column: ColumnView, rows: int) -> list[Line]:
    """One column in full, for the pane under the list."""
    facts: list[tuple[str, str | Cell]] = [
        ("missing", Cell(f"{count(column.nulls)} of {count(rows)} rows, {missing(column, rows).text}")),
        ("distinct", count(column.distinct)),
        ("range", f"{column.low or '-'} … {column.high or '-'}"),
    ]
    lines = [line((column.name, "strong"), (f"  {column.type}", "dim")), *pairs(facts)]
    if column.histogram is not None:
        lines += [line(), *histogram(column.histogram, moments="timestamp" in column.type or "date" in column.type)]
    most = max((one.count for one in column.top), default=1)
    width = max((len(one.value) for one in column.top), default=0)
    if column.top:
        lines.append(line())
    for one in column.top:
        lines.append(
            line(f"{one.value.ljust(width)}  {count(one.count):>10}  ", (bar(one.count / most, _BARS), "live"))
        )
    return lines


def histogram(found: HistogramView, *, moments: bool = False) -> list[Line]:
    """Upright, in eighths of a cell, each cell of the histogram two wide; the ends under it."""
    most = max(found.counts, default=0) or 1
    lines: list[Line] = []
    for level in range(_HEIGHT, 0, -1):
        cells = [_block(number / most * _HEIGHT - (level - 1)) * 2 for number in found.counts]
        top = f" {count(most)}" if level == _HEIGHT else ""
        lines.append(line(("".join(cells), "live"), (top, "dim")))
    low, high = (_day(found.low), _day(found.high)) if moments else (figure(found.low), figure(found.high))
    apart = 2 * len(found.counts) - len(low)
    return [*lines, line((low + high.rjust(apart) if apart > len(high) else f"{low} … {high}", "dim"))]


def _block(part: float) -> str:
    return " ▁▂▃▄▅▆▇█"[max(0, min(8, round(part * 8)))]


def _sparks(counts: Sequence[int], width: int) -> str:
    """Neighbours are added up where there are more cells than room; nothing is a gap, little still a line."""
    per_cell = -(-len(counts) // width) or 1
    sums = [float(sum(counts[at : at + per_cell])) for at in range(0, len(counts), per_cell)]
    return spark([0.0, *sums], len(sums) + 1)[1:] if sums else ""


def _day(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"


def _nulls(column: ColumnView) -> int | None:
    return column.nulls


def _distinct(column: ColumnView) -> int | None:
    return column.distinct
