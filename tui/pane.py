"""A pane of lines that draws only what differs from before: moving through a list costs a few hundred bytes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import cell_len, chop_cells
from rich.segment import Segment
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.printable import printable
from tui.table.column import Cell
from tui.text import Line, Lines
from tui.toned import Toned


class Pane(ScrollView, Toned, can_focus=True):
    """Shows lines, wrapped to its width; scrolls when they are more than it has room for."""

    def __init__(self, *, id: str | None = None, classes: str | None = None, focusable: bool = False) -> None:
        super().__init__(id=id, classes=classes)
        self.can_focus = focusable
        self._lines: Lines = ()
        self._wrapped: list[Line] = []

    def show(self, lines: Lines) -> None:
        """Other lines; what stays the same is not painted again."""
        self._lines = lines
        before, self._wrapped = self._wrapped, self._fitting(lines)
        if len(before) != len(self._wrapped):
            self.virtual_size = Size(max(1, self._room), len(self._wrapped))
        first = self.scroll_offset.y
        regions = [
            Region(x, y - first, width, 1)
            for y, x, width in differences(before, self._wrapped)
            if 0 <= y - first < self.size.height
        ]
        if regions:
            self.refresh(*regions)

    def on_resize(self) -> None:
        self._wrapped = self._fitting(self._lines)
        self.virtual_size = Size(max(1, self._room), len(self._wrapped))
        self.refresh()

    def _fitting(self, lines: Lines) -> list[Line]:
        """Wrapped beside the bar to scroll with, where they are so many that there will be one."""
        whole, height = self._room, self.content_region.height
        wrapped = wrap(lines, whole)
        if len(wrapped) > height > 0 and self.styles.overflow_y == "auto":
            return wrap(lines, whole - self.styles.scrollbar_size_vertical)
        return wrapped

    @property
    def _room(self) -> int:
        """Cells of a line, with those of a bar to scroll with."""
        return self.content_region.width or self.size.width

    def render_line(self, y: int) -> Strip:
        index = y + self.scroll_offset.y
        width = self.size.width
        if index >= len(self._wrapped):
            return Strip.blank(width, self.toned())
        segments = [Segment(cell.text, self.toned(cell.tone)) for cell in self._wrapped[index] if cell.text]
        return Strip(segments).adjust_cell_length(width, self.toned())


def wrap(lines: Iterable[Line], width: int) -> list[Line]:
    """Lines of at most `width` cells; broken at spaces where there are some, and printable."""
    wrapped: list[Line] = []
    for one in lines:
        wrapped += _wrap_line(one, width) if width > 0 else []
    return wrapped


def _wrap_line(one: Line, width: int) -> list[Line]:
    """What is broken goes on under the place where the line began, or the value of a name and a value."""
    indent = _indent(one, width)
    rows: list[list[Cell]] = [[]]
    used = 0
    for cell in one:
        for word in _words(printable(cell.text)):
            if used > indent and used + cell_len(word.rstrip()) > width:
                rows.append([Cell(" " * indent)])
                used = indent
                word = word.lstrip() or word
            pieces = chop_cells(word, width - indent) if cell_len(word) > width - used else [word]
            for number, piece in enumerate(pieces):
                if number:
                    rows.append([Cell(" " * indent)])
                    used = indent
                rows[-1].append(Cell(piece, cell.tone))
                used += cell_len(piece)
    return [_joined(row) for row in rows]


def _indent(one: Line, width: int) -> int:
    """The spaces that a line begins with, and a name with those behind it (`tui.text.pairs`), where they leave enough
    room."""
    text = "".join(cell.text for cell in one)
    spaces = len(text) - len(text.lstrip(" "))
    named = cell_len(one[0].text) if len(one) > 1 and one[0].text.endswith("  ") else 0
    indent = max(spaces, named)
    return indent if indent <= width // 2 else 0


def _words(text: str) -> list[str]:
    """Words with the spaces that follow them."""
    words: list[str] = []
    start = 0
    for at in range(1, len(text)):
        if text[at] != " " and text[at - 1] == " ":
            words.append(text[start:at])
            start = at
    return [*words, text[start:]] if text else []


def _joined(row: Sequence[Cell]) -> Line:
    """Neighbours of one tone become one cell."""
    joined: list[Cell] = []
    for cell in row:
        if not cell.text:
            continue
        if joined and joined[-1].tone == cell.tone:
            joined[-1] = Cell(joined[-1].text + cell.text, cell.tone)
        else:
            joined.append(cell)
    return tuple(joined)


def differences(before: Sequence[Line], after: Sequence[Line]) -> list[tuple[int, int, int]]:
    """Where two pictures differ: line, first cell, number of cells; one span a line."""
    found = []
    for y in range(max(len(before), len(after))):
        old = before[y] if y < len(before) else ()
        new = after[y] if y < len(after) else ()
        if old != new:
            x, end = _span(old, new)
            found.append((y, x, end - x))
    return found


def _span(old: Line, new: Line) -> tuple[int, int]:
    """First cell that differs, and the end of the longer line."""
    x = 0
    for one, other in zip(old, new, strict=False):
        if one != other:
            break
        x += cell_len(one.text)
    return x, max(x + 1, *(sum(cell_len(cell.text) for cell in line) for line in (old, new)))
