"""Who gets how many lines, of several lists one under another. The standard library only: the first picture uses it."""

from __future__ import annotations

from collections.abc import Sequence

HEAD = 1
"""Lines of a list's title."""
BOX_LINES = 2
"""Lines at the bottom of the Overview in which the box stands."""
MAIN_CELLS = {110: 78, 160: 92}
"""Screens from this width on give so many cells to the Overview's own column, and the rest to what stands beside."""


def share(wanted: Sequence[int], room: int) -> list[int]:
    """What they want where there is room for it; else each gets its title and a row, and then one row after another
    in turn."""
    given = [min(HEAD + 1, want) for want in wanted]
    while sum(given) < room and any(has < want for has, want in zip(given, wanted, strict=True)):
        for number, want in enumerate(wanted):
            if given[number] < want and sum(given) < room:
                given[number] += 1
    return given


def main_width(width: int) -> int:
    """Cells of the Overview's own column on a screen of `width` cells."""
    return max((cells for least, cells in MAIN_CELLS.items() if width >= least), default=width)
