"""How a table is drawn: a header line, rows of fixed columns, a cursor, marks. It measures nothing.

Only cells whose text or tone differ are drawn again: one changed cell costs about a hundred bytes on the wire.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Final, Generic, TypeVar, cast

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.failure import Failure
from tui.table.column import GAP, GUTTER, Cell, Column, Frame, Placed, fit, place
from tui.table.pages import Pages
from tui.table.source import Query, Source
from tui.toned import Toned

if TYPE_CHECKING:
    from textual import events

    from tui.app import ShedApp

R = TypeVar("R")
_WAITING: Final = Cell("·", "dim")


class Picture(ScrollView, Toned, Generic[R]):
    """What stands on the screen of the rows that are here."""

    cursor: reactive[int] = reactive(0, repaint=False)

    def __init__(
        self,
        columns: Sequence[Column[R]],
        source: Source[R],
        *,
        empty: str,
        order: str = "",
        id: str | None = None,
    ) -> None:
        """`empty`: what to say when there are no rows."""
        super().__init__(id=id)
        self.columns = columns
        self.source = source
        self.empty = empty
        self.query_ = Query(sort=order)
        self.pages: Pages[R] = Pages(source.key)
        self.pages.exact = False
        self.marks: dict[Hashable, R] = {}
        self.pinned: Hashable | None = None
        self.failure: Failure | None = None
        self.extra = False
        self.widths: dict[str, int] = {}
        """Cells of columns that were made narrower or wider."""
        self._chosen = 0
        self._drawn: dict[int, tuple[Cell, ...]] = {}
        self._ready: dict[int, tuple[R | None, tuple[Cell, ...]]] = {}
        """Cells of rows that were found to differ, until they are drawn."""
        self._placed: list[Placed] = []

    @property
    def shed(self) -> ShedApp:
        return cast("ShedApp", self.app)

    @property
    def row(self) -> R | None:
        """What the cursor is on."""
        return self.pages[self.cursor]

    @property
    def in_view(self) -> range:
        """Positions of the rows on screen."""
        first = self.scroll_offset.y
        return range(first, min(self.pages.total, first + self.page_rows))

    @property
    def page_rows(self) -> int:
        """Rows that fit on the screen."""
        return max(1, self.size.height - 1)

    def redraw(self) -> None:
        """Time has passed, or the looks changed: all cells are drawn again where they differ."""
        for index in self.in_view:
            self._redraw(index)

    @property
    def name_of_list(self) -> str:
        """What its settings are kept under: `runs`, `overview.needs`."""
        where = type(self.screen).__name__.removesuffix("Screen").lower()
        return f"{where}.{self.id}" if self.id else where

    def on_mount(self) -> None:
        self.widths = dict(self.shed.widths.get(self.name_of_list, {}))

    def _want(self) -> None:
        """A row that is to be drawn is not here."""

    # ---- cells -------------------------------------------------------------------------------------------------------

    def _measure(self) -> None:
        self._placed = place(self.columns, self.size.width, extra=self.extra, given=self.widths)
        width = self._placed[-1].end if self._placed else 0
        self.virtual_size = Size(max(width, 1), self.pages.total + 1)

    def _forget_cells(self) -> None:
        """All of them have to be drawn anew: there are others."""
        self._drawn.clear()
        self._ready.clear()

    def _cells(self, row: R, frame: Frame) -> tuple[Cell, ...]:
        return tuple(placed.column.draw(row, frame) for placed in self._placed)

    def _redraw(self, index: int) -> None:
        """Marks the cells that differ from what is on screen; all of them where the row was not here."""
        if index not in self.in_view:
            return
        y = index - self.scroll_offset.y + 1
        row = self.pages[index]
        old = self._drawn.get(index)
        new = None if row is None else self._cells(row, self.shed.frame)
        if new is not None and old == new:
            return
        if new is not None:
            self._ready[index] = (row, new)
        if old is None or new is None or len(old) != len(new):
            self.refresh(Region(0, y, self.size.width, 1))
            return
        others = [n for n, (was, now) in enumerate(zip(old, new, strict=True)) if was != now]
        places = [(self._screen_x(number, self._placed[number]), self._placed[number].width) for number in others]
        start, end = min(x for x, _ in places), max(x + width for x, width in places)
        # One piece a line is less work than one a cell, and the glass sends only what differs of it.
        self.refresh(Region(start, y, end - start, 1))

    def _screen_x(self, number: int, placed: Placed) -> int:
        return placed.x if number == 0 else placed.x - self.scroll_offset.x

    def render_line(self, y: int) -> Strip:
        if not self._placed:
            self._measure()
        if y == 0:
            return self._head()
        index = self.scroll_offset.y + y - 1
        if index >= self.pages.total:
            return self._below(y)
        row = self.pages[index]
        if row is None:
            self.call_next(self._want)
            return self._line([_WAITING, *[Cell("")] * (len(self._placed) - 1)], "  ", self.toned("dim"))
        known, cells = self._ready.pop(index, (None, ()))
        if known is not row:
            cells = self._cells(row, self.shed.frame)
        self._drawn[index] = cells
        return self._line(cells, self._gutter(index, row), self._ground(index))

    def _ground(self, index: int) -> Style | None:
        """The cursor's look: one style for the whole line, so that every tone stays readable."""
        return self.toned("cursor") if index == self.cursor and self.has_focus else None

    def _gutter(self, index: int, row: R) -> str:
        key = self.source.key(row)
        mark = "★" if key == self.pinned and key is not None else "●" if key in self.marks else " "
        return ("›" if index == self.cursor else " ") + mark

    def _line(self, cells: Sequence[Cell], gutter: str, ground: Style | None) -> Strip:
        segments = [Segment(gutter, ground or self.toned("mark"))]
        for placed, cell in zip(self._placed, cells, strict=True):
            segments += self._segments(placed, cell, ground)
        strip = Strip(segments)
        return self._scrolled(strip if ground is None else strip.simplify(), ground or self.toned())

    def _segments(self, placed: Placed, cell: Cell, ground: Style | None) -> list[Segment]:
        """A cell with the gap after it, which belongs to it: a segment less is thirty bytes less on the wire."""
        text = fit(cell.text, placed.width, right=placed.column.right) + " " * GAP
        glyphs = placed.column.glyphs
        if not glyphs or ground is not None:
            return [Segment(text, ground or self.toned(cell.tone))]
        runs = groupby(text, key=lambda glyph: glyphs.get(glyph, cell.tone))
        return [Segment("".join(run), self.toned(tone)) for tone, run in runs]

    def _head(self) -> Strip:
        segments = [Segment(" " * GUTTER, self.toned("head"))]
        for number, placed in enumerate(self._placed):
            chosen = number == self._chosen and self.has_focus
            arrow = {placed.column.key: "↑", f"-{placed.column.key}": "↓"}
            title = placed.column.title + next((a for sort, a in arrow.items() if sort == self.query_.sort), "")
            text = fit(title, placed.width, right=placed.column.right)
            segments.append(Segment(text, self.toned("chosen" if chosen else "head")))
            segments.append(Segment(" " * GAP, self.toned("head")))
        return self._scrolled(Strip(segments), self.toned("head"))

    def _scrolled(self, strip: Strip, style: Style) -> Strip:
        """The first column stays; the others move under it."""
        width, x = self.size.width, self.scroll_offset.x
        if x and self._placed:
            frozen = self._placed[0].end + GAP
            strip = Strip.join([strip.crop(0, frozen), strip.crop(frozen + x, frozen + x + width)])
        return strip.crop_extend(0, width, style)

    def _below(self, y: int) -> Strip:
        """Under the last row: nothing, or why there is none."""
        plain = self.toned()
        if self.pages.total == 0:
            lines = self._excuse()
            if 2 <= y < 2 + len(lines):
                text, tone = lines[y - 2]
                return Strip([Segment("  " + fit(text, self.size.width - 2), self.toned(tone))])
        return Strip.blank(self.size.width, plain)

    def _excuse(self) -> list[tuple[str, str]]:
        if self.failure is not None:
            return [(f"✘ {self.failure.what}", "bad"), (f"→ {self.failure.remedy}", "")]
        if not self.pages.exact:
            return [("… asking the daemon", "dim")]
        if self.query_.filter:
            return [(f"nothing matches {self.query_.filter}", "dim"), ("Esc shows all again", "dim")]
        return [(line, "dim") for line in self.empty.split("\n")]

    # ---- where the focus is ------------------------------------------------------------------------------------------

    def on_focus(self, event: events.Focus) -> None:
        self._focus_is(True, event)

    def on_blur(self, event: events.Blur) -> None:
        self._focus_is(False, event)

    def _focus_is(self, here: bool, event: events.Focus | events.Blur) -> None:
        """Instead of Textual's own, which paints the whole widget: two lines tell where the focus is."""
        event.prevent_default()
        self.has_focus = here
        self.refresh(Region(0, 0, self.size.width, 1))
        if self.cursor in self.in_view:
            self.refresh(Region(0, self.cursor - self.scroll_offset.y + 1, self.size.width, 1))

    def watch_has_focus(self, _: bool) -> None:
        """No rule of the stylesheet depends on it."""
