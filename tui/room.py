"""Who gets how many lines, of several lists one under another. The standard library only: the first picture uses it."""

from __future__ import annotations

from collections.abc import Sequence

HEAD = 1
"""Lines of a list's title."""
BOX_LINES = 2
"""Lines at the bottom of the Overview in which the box stands."""
BESIDE = {110: 44, 160: 72}
"""Screens from this width on have a pane of so many cells beside."""


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
    beside = max((cells for least, cells in BESIDE.items() if width >= least), default=0)
    return width - beside
