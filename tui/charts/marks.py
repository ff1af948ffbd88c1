"""Curves where there is no braille: one as eighths of blocks, several as their marks; in ASCII, as letters. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tui.charts.dots import Bucket
from tui.charts.ticks import Scale

GLYPHS: Final = "●▲■◆○△□◇"
LETTERS: Final = "abcdefgh"
_EIGHTHS: Final = " ▁▂▃▄▅▆▇█"
Picture = list[list[tuple[str, int]]]
"""A glyph and its series a cell, row by row; a space of series -1 where nothing is."""


def area(found: Sequence[Bucket], y: Scale, width: int, height: int) -> Picture:
    """The highest value of each column as a bar: a peak is never lost."""
    picture = empty(width, height)
    eighths_of = y.rows(height * 8)
    for bucket in found:
        full, rest = divmod(height * 8 - eighths_of(bucket.high), 8)
        for row in range(full):
            picture[height - 1 - row][bucket.place] = ("█", 0)
        if rest:
            picture[height - 1 - full][bucket.place] = (_EIGHTHS[rest], 0)
    return picture


def marks(columns: Sequence[Sequence[Bucket]], y: Scale, width: int, height: int, glyphs: str) -> Picture:
    """Each column of a series as its mark, from its lowest to its highest value; the first series lies on top."""
    picture = empty(width, height)
    row_of = y.rows(height)
    for number in reversed(range(len(columns))):
        for bucket in columns[number]:
            for row in range(row_of(bucket.high), row_of(bucket.low) + 1):
                picture[row][bucket.place] = (glyphs[number], number)
    return picture


def empty(width: int, height: int) -> Picture:
    return [[(" ", -1)] * width for _ in range(height)]
