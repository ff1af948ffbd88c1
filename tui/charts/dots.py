"""Curves as braille: 2 x 4 dots a cell. Each half column shows the range of its values, so a peak is never lost. Pure.

The dots of a cell (Unicode 10.0, block 2800-28FF)::

    0x01 0x08
    0x02 0x10
    0x04 0x20
    0x40 0x80
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Final, NamedTuple

from tui.charts.series import Series
from tui.charts.ticks import Scale

_DOTS: Final = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
_RUNS: Final = tuple(
    tuple(tuple(sum(side[top : bottom + 1]) for bottom in range(4)) for top in range(4)) for side in _DOTS
)
"""Side of the cell → first dot from above → last dot → the mask of all between."""
Grid = list[bytearray]
"""A mask a cell, row by row from above."""


class Bucket(NamedTuple):
    """The values of one column."""

    place: int
    first: float
    low: float
    high: float
    last: float
    end: float
    """x of the last value."""


def buckets(series: Series, x: Scale, count: int) -> list[Bucket]:
    """`count` columns over the stretch; those without a value are left out."""
    xs, ys = series.xs, series.ys
    found: list[Bucket] = []
    width = (x.high - x.low) / count
    start, end = bisect_left(xs, x.low), bisect_right(xs, x.high)
    for place in range(count):
        stop = end if place == count - 1 else bisect_left(xs, x.low + width * (place + 1), start, end)
        if stop > start:
            part = ys[start:stop]
            found.append(Bucket(place, part[0], min(part), max(part), part[-1], xs[stop - 1]))
            start = stop
            if stop == end:
                break
    return found


def draw(found: Sequence[Bucket], breaks: Sequence[float], y: Scale, width: int, height: int) -> Grid:
    """The curve of these columns (two a cell) in `width` x `height` cells; the line is cut at each of `breaks`."""
    grid: Grid = [bytearray(width) for _ in range(height)]
    row = y.rows(height * 4)
    before: Bucket | None = None
    for bucket in found:
        top, bottom = row(bucket.high), row(bucket.low)
        if before is not None and not (breaks and _broken(breaks, before.end, bucket.end)):
            top, bottom = _joined(grid, before.place, row(before.last), bucket.place, row(bucket.first), top, bottom)
        _run(grid, bucket.place, top, bottom)
        before = bucket
    return grid


def _broken(breaks: Sequence[float], after: float, until: float) -> bool:
    place = bisect_left(breaks, after)
    return place < len(breaks) and breaks[place] < until


def _joined(grid: Grid, from_x: int, from_y: int, to_x: int, to_y: int, top: int, bottom: int) -> tuple[int, int]:
    """Draws the way from one column to another; the range of the other, so that it touches."""
    if to_x == from_x + 1:
        if from_y > bottom:
            bottom = from_y - 1
        elif from_y < top:
            top = from_y + 1
        return top, bottom
    last = from_y
    for column in range(from_x + 1, to_x):
        now = from_y + round((to_y - from_y) * (column - from_x) / (to_x - from_x))
        high, low = (last + 1, now) if now > last else (now, last - 1) if now < last else (now, now)
        _run(grid, column, high, low)
        last = now
    return _joined(grid, to_x - 1, last, to_x, to_y, top, bottom)


def _run(grid: Grid, column: int, top: int, bottom: int) -> None:
    """All dots of a half column from `top` to `bottom`."""
    cell, runs = column >> 1, _RUNS[column & 1]
    first, last = top >> 2, bottom >> 2
    if first == last:
        grid[first][cell] |= runs[top & 3][bottom & 3]
        return
    grid[first][cell] |= runs[top & 3][3]
    for row in range(first + 1, last):
        grid[row][cell] |= runs[0][3]
    grid[last][cell] |= runs[0][bottom & 3]
