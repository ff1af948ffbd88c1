"""Lines of text on a screen that change in places: only the cells that differ are drawn again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from tui.table.column import Cell
from tui.text import Line, Lines
from tui.themes import TONES


def differences(before: Lines, after: Lines) -> list[Region]:
    """Where two pictures differ: the cells of a line, or all that follows where a cell has another width. Pure."""
    found = []
    for y in range(max(len(before), len(after))):
        old, new = (lines[y] if y < len(lines) else () for lines in (before, after))
        found += _line_differences(y, old, new)
    return found


def _line_differences(y: int, old: Line, new: Line) -> list[Region]:
    found = []
    x = 0
    for was, now in zip(old, new, strict=False):
        width = cell_len(now.text)
        if cell_len(was.text) != width:
            return [*found, Region(x, y, max(_length(old), _length(new)) - x, 1)]
        if was != now:
            found.append(Region(x, y, width, 1))
        x += width
    rest = max(_length(old), _length(new)) - x
    return [*found, Region(x, y, rest, 1)] if rest else found


def _length(line: Line) -> int:
    return sum(cell_len(cell.text) for cell in line)


class Pane(Widget):
    """Shows lines as they are, cut at the right."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"tone--{tone or 'plain'}" for tone in TONES}
    DEFAULT_CSS = "Pane { height: auto; }"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._picture: tuple[Line, ...] = ()
        self._looks: dict[str, Style] = {}

    def put(self, lines: Lines) -> None:
        """Another picture."""
        before, self._picture = self._picture, tuple(lines)
        if len(before) != len(self._picture):
            self.refresh(layout=True)
            return
        regions = differences(before, self._picture)
        if regions:
            self.refresh(*regions)

    @property
    def picture(self) -> Lines:
        return self._picture

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, lambda _: self._restyle())

    def _restyle(self) -> None:
        self._looks.clear()
        self.refresh()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._picture)

    def render_line(self, y: int) -> Strip:
        line = self._picture[y] if y < len(self._picture) else ()
        strip = Strip([Segment(cell.text, self._look(cell)) for cell in line])
        return strip.crop_extend(0, self.size.width, self._look(Cell("")))

    def _look(self, cell: Cell) -> Style:
        name = f"tone--{cell.tone or 'plain'}"
        if name not in self._looks:
            self._looks[name] = self.get_component_rich_style(name)
        return self._looks[name]
