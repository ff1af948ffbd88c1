"""What a column is, and how columns share the width of a screen. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from types import MappingProxyType
from typing import Final, Generic, NamedTuple, TypeVar

from rich.cells import cell_len, set_cell_size

from tui.printable import printable
from tui.themes import Tone

R = TypeVar("R")
GUTTER: Final = 2
"""Cells on the left for the cursor and the mark."""
GAP: Final = 2
"""Cells between two columns."""


class Cell(NamedTuple):
    """What stands in a cell, and what it means."""

    text: str
    tone: Tone = ""


class Frame(NamedTuple):
    """What a row needs to know of the moment in which it is drawn."""

    now: datetime
    zone: tzinfo | None = None
    """Of the times that are shown; None is the machine's own."""


@dataclass(frozen=True, kw_only=True)
class Column(Generic[R]):
    key: str
    """As in a filter and in a sort."""
    title: str
    width: int
    """Cells, until the operator gives it others: nothing is ever measured."""
    draw: Callable[[R, Frame], Cell]
    value: Callable[[R], str | float | int | None] | None = None
    """What an in-memory list is sorted and filtered by; else the text that is drawn."""
    order: Callable[[R], str | float | int | None] | None = None
    """What it is sorted by, where one filters by another: a time that is drawn as `14:05`, a number as `v10`."""
    right: bool = False
    grows: bool = False
    """Takes what is left of the screen."""
    sorts: bool = True
    extra: bool = False
    """Only there when more columns are asked for."""
    least: int = 0
    """Only there then, too, on a screen of fewer cells: what grows needs them more."""
    glyphs: Mapping[str, Tone] = field(default_factory=dict)
    """Glyphs that always have this tone here, whatever that of their cell."""


class Placed(NamedTuple):
    """A column with its place on the line, before any horizontal scrolling."""

    column: Column  # type: ignore[type-arg]
    x: int
    width: int

    @property
    def end(self) -> int:
        return self.x + self.width


def place(
    columns: Sequence[Column[R]], width: int, *, extra: bool = False, given: Mapping[str, int] = MappingProxyType({})
) -> list[Placed]:
    """Where each column stands on a screen of `width` cells; the growing ones share what is left.

    `given`: key → cells, of columns that the operator made narrower or wider; those do not grow.
    """
    shown = [column for column in columns if extra or (not column.extra and width >= column.least)]
    fixed = GUTTER + sum(given.get(column.key, column.width) + GAP for column in shown) - GAP
    growing = [column for column in shown if column.grows and column.key not in given]
    spare = max(0, width - fixed)
    placed: list[Placed] = []
    x = GUTTER
    for column in shown:
        own = given.get(column.key, column.width)
        if column in growing:
            part = spare // len(growing)
            own += spare - part * (len(growing) - 1) if column is growing[-1] else part
        placed.append(Placed(column, x, own))
        x += own + GAP
    return placed


def fit(text: str, width: int, *, right: bool = False) -> str:
    """The text in exactly `width` cells: cut with an ellipsis, or padded; printable."""
    text = printable(text)
    length = cell_len(text)
    if length > width:
        return set_cell_size(text, width - 1) + "…" if width > 0 else ""
    padding = " " * (width - length)
    return padding + text if right else text + padding
