"""Text with meaning, free of widgets and themes: what pure functions hand to screens."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.content import Content

from tui.printable import printable
from tui.table.column import Cell
from tui.themes import STYLES, Tone

Line = Sequence[Cell]
Lines = Sequence[Line]


def line(*parts: str | tuple[str, Tone] | Cell) -> Line:
    """`line("run ", ("12", "strong"))`."""
    return tuple(Cell(part) if isinstance(part, str) else Cell(*part) for part in parts)


def plain(lines: Lines) -> str:
    """The text alone: for pipes, screen readers and copies."""
    return "\n".join("".join(cell.text for cell in one).rstrip() for one in lines)


def content(lines: Iterable[Line]) -> Content:
    """For a Static."""
    return Content("\n").join(Content.assemble(*(_part(cell) for cell in one)) for one in lines)


def _part(cell: Cell) -> str | tuple[str, str]:
    text = printable(cell.text)
    return (text, STYLES[cell.tone]) if cell.tone else text


def heading(words: str) -> Line:
    return line((words, "strong"))


def pairs(facts: Sequence[tuple[str, str | Cell]]) -> list[Line]:
    """Names and values in two columns."""
    width = max((len(name) for name, _ in facts), default=0) + 2
    return [line((name.ljust(width), "dim"), value) for name, value in facts]
