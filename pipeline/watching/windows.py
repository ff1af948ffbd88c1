"""Windows of a table: spans of time aligned to UTC, or so many rows. Pure.

A window is closed once it is full: its time has passed, and nothing that belongs to it is still on its way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

HOUR_US: Final = 3_600_000_000
_WEEK_US: Final = 7 * 24 * HOUR_US
_MONDAY_US: Final = 4 * 24 * HOUR_US
"""The first Monday after 1970-01-01, which was a Thursday."""


@dataclass(frozen=True, order=True)
class Window:
    """Microseconds since 1970 UTC: `start_us` belongs to it, `end_us` to the next one."""

    start_us: int
    end_us: int

    @property
    def span_us(self) -> int:
        return self.end_us - self.start_us

    def shifted(self, by_us: int) -> Window:
        return Window(self.start_us + by_us, self.end_us + by_us)


def aligned(at_us: int, span_us: int) -> Window:
    """The window that a moment belongs to. Those of whole weeks begin on a Monday, all others count from 1970."""
    first = origin(span_us)
    start = (at_us - first) // span_us * span_us + first
    return Window(start, start + span_us)


def origin(span_us: int) -> int:
    """The start of one of the windows of that length."""
    return _MONDAY_US if span_us % _WEEK_US == 0 else 0


def piece_of(span_us: int) -> int:
    """The length of the pieces that a window's profile is put together from: hours, where it has whole ones.

    A day's rows are so read once, hour by hour as they come, and not all at midnight.
    """
    return HOUR_US if span_us > HOUR_US and span_us % HOUR_US == 0 else span_us


def pieces(window: Window, piece_us: int) -> list[Window]:
    return [
        Window(start, min(start + piece_us, window.end_us)) for start in range(window.start_us, window.end_us, piece_us)
    ]


def gathered(counts: Mapping[int, int], span_us: int) -> dict[Window, int]:
    """Rows of each window that has some, oldest first, from the rows of its pieces (start → rows)."""
    found: dict[Window, int] = {}
    for start, count in sorted(counts.items()):
        window = aligned(start, span_us)
        found[window] = found.get(window, 0) + count
    return found


def closed(windows: Iterable[Window], until_us: int) -> list[Window]:
    """Those that are full when all rows before `until_us` are there. Oldest first."""
    return sorted(one for one in windows if one.end_us <= until_us)


def by_rows(times: Iterable[tuple[int, int]], size: int, start_us: int, until_us: int) -> Iterator[Window]:
    """Windows of at least `size` rows from `start_us` on. `times`: (moment, rows), in the order of time.

    What came in one moment is never parted, so a window is known by its times. One that later rows may still enlarge
    is not closed.
    """
    start, last, rows = start_us, start_us - 1, 0
    for at_us, count in times:
        if at_us >= until_us:
            return
        if rows >= size and at_us > last:
            yield Window(start, last + 1)
            start, rows = last + 1, 0
        last, rows = at_us, rows + count
    if rows >= size and last < until_us:
        yield Window(start, last + 1)
