"""The widget: a header line, rows of fixed columns, a cursor, marks. It measures nothing and draws what changed.

Rows are asked for by position, a page of 128 at a time, as they come into view. News replaces rows in their places, and
only cells whose text or tone differ are drawn again: one changed cell costs about a hundred bytes on the wire.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, TypeVar, cast

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.failure import Failure
from tui.keybindings import bindings
from tui.table.column import GAP, GUTTER, Cell, Column, Frame, Placed, fit, place
from tui.table.pages import PAGE, Pages
from tui.table.rest import Rest
from tui.table.source import ListSource, Query, Slice, Source
from tui.themes import TONES

if TYPE_CHECKING:
    from textual import events

    from tui.app import ShedApp

R = TypeVar("R")
_WAITING: Final = Cell("·", "dim")


class Table(ScrollView, Generic[R], can_focus=True):
    """A list of rows of one kind."""

    BINDINGS = bindings("list")
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "table--head",
        "table--chosen",
        "table--cursor",
        *(f"tone--{tone or 'plain'}" for tone in TONES),
    }
    cursor: reactive[int] = reactive(0, repaint=False)

    class Moved(Message):
        """The cursor lies on another row, or on a newer state of the same one. `row` is None where there is none."""

        def __init__(self, table: Table[Any], row: Any) -> None:
            super().__init__()
            self.table = table
            self.row = row

        @property
        def control(self) -> Table[Any]:
            return self.table

    class Opened(Moved):
        """Enter was pressed on a row."""

    class Counted(Message):
        """The number of rows, or the query, is another one."""

        def __init__(self, table: Table[Any]) -> None:
            super().__init__()
            self.table = table

        @property
        def control(self) -> Table[Any]:
            return self.table

    def __init__(
        self,
        columns: Sequence[Column[R]],
        source: Source[R],
        *,
        empty: str,
        order: str = "",
        faults: str = "",
        id: str | None = None,
    ) -> None:
        """`empty`: what to say when there are no rows. `faults`: the filter that leaves only what failed."""
        super().__init__(id=id)
        self.columns = columns
        self.source = source
        self.empty = empty
        self.faults = faults
        self.query_ = Query(sort=order)
        self.pages: Pages[R] = Pages(source.key)
        self.pages.exact = False
        self.marks: dict[Hashable, R] = {}
        self.pinned: Hashable | None = None
        self.failure: Failure | None = None
        self.extra = False
        self.following = False
        self._chosen = 0
        self._drawn: dict[int, tuple[Cell, ...]] = {}
        self._anchor: Hashable | None = None
        self._range_from: int | None = None
        self._asked: set[int] = set()
        self._era = 0
        self._counted_era = -1
        self._other_query = False
        self._placed: list[Placed] = []
        self._looks: dict[str, Style] = {}
        self.rest = Rest(self.set_timer, self._tell)

    # ---- what others ask of it ---------------------------------------------------------------------------------------

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

    @property
    def chosen(self) -> list[R]:
        """The marked rows, else the one under the cursor."""
        if self.marks:
            return list(self.marks.values())
        return [] if self.row is None else [self.row]

    def show(self, rows: Sequence[R]) -> None:
        """Other rows for an in-memory list."""
        assert isinstance(self.source, ListSource)
        self.source.rows = rows
        self.source.waiting = False
        self.reread()

    def reshape(self, columns: Sequence[Column[R]]) -> None:
        """Other columns for an in-memory list: what they are is only known with the rows."""
        assert isinstance(self.source, ListSource)
        self.columns = self.source.columns = columns
        self._chosen = 0
        self._drawn.clear()
        self._measure()
        self.refresh()

    def ask_for(self, query: Query) -> None:
        """Another filter or order. The picture stays until the answer is here."""
        if query == self.query_:
            return
        self.query_ = query
        self._range_from = None
        self._other_query = True
        self.reread()
        self.post_message(self.Counted(self))

    def reread(self) -> None:
        """Everything may be different: asks again for what is on screen."""
        self._era += 1
        self._asked.clear()
        self.pages.age()
        if self._other_query:
            self.cursor = 0
            self.scroll_to(y=0, animate=False, immediate=True)
        self._want()

    def renew(self, rows: Mapping[Hashable, R]) -> None:
        """Newer states of rows, by key; those that are not here do not matter."""
        for index in self.pages.replace(rows):
            self._redraw(index)
            if index == self.cursor:
                self.post_message(self.Moved(self, self.row))
        for key in self.marks.keys() & rows.keys():
            self.marks[key] = rows[key]

    def failed(self, failure: Failure) -> None:
        """The rows cannot be had; what is here stays."""
        self.failure = failure
        self._asked.clear()
        self.refresh()

    def redraw(self) -> None:
        """Time has passed, or the looks changed: all cells are drawn again where they differ."""
        for index in self.in_view:
            self._redraw(index)

    # ---- rows come ---------------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        self.shed.theme_changed_signal.subscribe(self, lambda _: self._restyle())
        self._want()

    def on_resize(self, _: events.Resize) -> None:
        self._measure()
        self._want()

    def _want(self) -> None:
        """Asks for the pages that are in view and not here."""
        if not self.is_mounted or self.size.height == 0:
            return
        first = self.scroll_offset.y
        for number in self.pages.missing(first, first + self.page_rows - 1):
            if number not in self._asked:
                self._asked.add(number)
                self._fetch(number, self._era, self.query_)

    def _fetch(self, number: int, era: int, query: Query) -> None:
        source = self.source
        if isinstance(source, ListSource):
            if source.waiting:
                self._asked.discard(number)
                return
            self._came(number, era, Slice(*source.window(None, query, number * PAGE, PAGE)))  # type: ignore[arg-type]
            return
        self.shed.ask(
            f"{id(self)}:{number}",
            lambda daemon: source.window(daemon, query, number * PAGE, PAGE),
            lambda found: self._came(number, era, found),
            refused=self.failed,
        )

    def _came(self, number: int, era: int, found: Slice[R]) -> None:
        self._asked.discard(number)
        if era != self._era:
            return
        before = self.pages.total
        self.failure = None
        if self._other_query:
            self._other_query = False
            self.pages.forget()
            self.call_next(self.refresh)
        self.pages.put(number, found)
        if not self.pages.exact and self._counted_era != era:
            self._counted_era = era
            self._count(era, self.query_)
        self._settle_cursor()
        if self.pages.total != before:
            self._measure()
            self.post_message(self.Counted(self))
        if before == 0 or self.pages.total == 0:
            self.refresh()
        for index in range(number * PAGE, number * PAGE + PAGE):
            if index in self.in_view:
                self._redraw(index)
        if self.pages.total < before:
            self.refresh()
        self._want()

    def _count(self, era: int, query: Query) -> None:
        """Counting may cost more than a page: it is asked for by itself, and the rows are shown meanwhile."""
        self.shed.ask(
            f"{id(self)}:count",
            lambda daemon: self.source.count(daemon, query),
            lambda total: self._counted(era, total),
        )

    def _counted(self, era: int, total: int) -> None:
        if era == self._era:
            self.pages.counted(total)
            self._measure()
            self.post_message(self.Counted(self))

    def _settle_cursor(self) -> None:
        """The cursor stays on its row where that has moved within what is here."""
        if self.following:
            self._go(0 if self.query_.sort.startswith("-") else self.pages.total - 1)
            return
        found = None if self._anchor is None else self.pages.find(self._anchor)
        if found is not None and found != self.cursor:
            shift = found - self.cursor
            self._go(found)
            if self.scroll_offset.y > 0:
                self.scroll_to(y=self.scroll_offset.y + shift, animate=False, immediate=True)
        elif self.cursor >= self.pages.total and self.pages.exact:
            self._go(self.pages.total - 1)
        else:
            self._arrived()

    # ---- drawing -----------------------------------------------------------------------------------------------------

    def _measure(self) -> None:
        self._placed = place(self.columns, self.size.width, extra=self.extra)
        width = self._placed[-1].end if self._placed else 0
        self.virtual_size = Size(max(width, 1), self.pages.total + 1)

    def _restyle(self) -> None:
        self._looks.clear()
        self.refresh()

    def _look(self, name: str) -> Style:
        if name not in self._looks:
            self._looks[name] = self.get_component_rich_style(name)
        return self._looks[name]

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
        if old is None or new is None or len(old) != len(new):
            self.refresh(Region(0, y, self.size.width, 1))
            return
        regions = [
            Region(self._screen_x(number, placed), y, placed.width, 1)
            for number, (placed, was, now) in enumerate(zip(self._placed, old, new, strict=True))
            if was != now
        ]
        if regions:
            self.refresh(*regions)

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
            return self._line([_WAITING, *[Cell("")] * (len(self._placed) - 1)], "  ", self._look("tone--dim"))
        cells = self._drawn[index] = self._cells(row, self.shed.frame)
        return self._line(cells, self._gutter(index, row), self._ground(index))

    def _ground(self, index: int) -> Style | None:
        """The cursor's look: one style for the whole line, so that every tone stays readable."""
        return self._look("table--cursor") if index == self.cursor and self.has_focus else None

    def _gutter(self, index: int, row: R) -> str:
        key = self.source.key(row)
        mark = "★" if key == self.pinned and key is not None else "●" if key in self.marks else " "
        return ("›" if index == self.cursor else " ") + mark

    def _line(self, cells: Sequence[Cell], gutter: str, ground: Style | None) -> Strip:
        segments = [Segment(gutter, ground or self._look("tone--mark"))]
        for placed, cell in zip(self._placed, cells, strict=True):
            style = ground or self._look(f"tone--{cell.tone or 'plain'}")
            # The gap belongs to its column: a segment less is thirty bytes less on the wire.
            segments.append(Segment(fit(cell.text, placed.width, right=placed.column.right) + " " * GAP, style))
        strip = Strip(segments)
        return self._scrolled(strip if ground is None else strip.simplify(), ground or self._look("tone--plain"))

    def _head(self) -> Strip:
        segments = [Segment(" " * GUTTER, self._look("table--head"))]
        for number, placed in enumerate(self._placed):
            chosen = number == self._chosen and self.has_focus
            arrow = {placed.column.key: "↑", f"-{placed.column.key}": "↓"}
            title = placed.column.title + next((a for sort, a in arrow.items() if sort == self.query_.sort), "")
            text = fit(title, placed.width, right=placed.column.right)
            segments.append(Segment(text, self._look("table--chosen" if chosen else "table--head")))
            segments.append(Segment(" " * GAP, self._look("table--head")))
        return self._scrolled(Strip(segments), self._look("table--head"))

    def _scrolled(self, strip: Strip, style: Style) -> Strip:
        """The first column stays; the others move under it."""
        width, x = self.size.width, self.scroll_offset.x
        if x and self._placed:
            frozen = self._placed[0].end + GAP
            strip = Strip.join([strip.crop(0, frozen), strip.crop(frozen + x, frozen + x + width)])
        return strip.crop_extend(0, width, style)

    def _below(self, y: int) -> Strip:
        """Under the last row: nothing, or why there is none."""
        plain = self._look("tone--plain")
        if self.pages.total == 0:
            lines = self._excuse()
            if 2 <= y < 2 + len(lines):
                text, tone = lines[y - 2]
                return Strip([Segment("  " + fit(text, self.size.width - 2), self._look(f"tone--{tone}"))])
        return Strip.blank(self.size.width, plain)

    def _excuse(self) -> list[tuple[str, str]]:
        if self.failure is not None:
            return [(f"✘ {self.failure.what}", "bad"), (f"→ {self.failure.remedy}", "plain")]
        if not self.pages.exact:
            return [("… asking the daemon", "dim")]
        if self.query_.filter:
            return [(f"nothing matches {self.query_.filter}", "dim"), ("Esc shows all again", "dim")]
        return [(line, "dim") for line in self.empty.split("\n")]

    # ---- the cursor --------------------------------------------------------------------------------------------------

    def _go(self, index: int) -> None:
        """Puts the cursor on a row, and the row on the screen."""
        index = max(0, min(index, self.pages.total - 1))
        before, self.cursor = self.cursor, index
        for line in {before, index}:
            if line in self.in_view:
                self.refresh(Region(0, line - self.scroll_offset.y + 1, self.size.width, 1))
        first = self.scroll_offset.y
        if index < first:
            self.scroll_to(y=index, animate=False, immediate=True)
        elif index >= first + self.page_rows:
            self.scroll_to(y=index - self.page_rows + 1, animate=False, immediate=True)
        self._want()
        if self._elsewhere():
            self.rest.step()

    def _arrived(self) -> None:
        """Rows came: says at once what the cursor is on, if it is news."""
        if self._elsewhere():
            self._tell()

    def _elsewhere(self) -> bool:
        """Whether the cursor is on another row than before, or still on none."""
        row = self.row
        before, self._anchor = self._anchor, None if row is None else self.source.key(row)
        return row is None or self._anchor != before

    def _tell(self) -> None:
        self.post_message(self.Moved(self, self.row))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._drawn = {index: cells for index, cells in self._drawn.items() if index in self.in_view}
        self._want()

    def on_focus(self, event: events.Focus) -> None:
        self._focus_is(True, event)

    def on_blur(self, event: events.Blur) -> None:
        self.rest.arrive()
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

    def on_click(self, event: events.Click) -> None:
        if event.y == 0:
            hit = [n for n, p in enumerate(self._placed) if self._screen_x(n, p) <= event.x < p.end + GAP]
            if hit:
                self._chosen = hit[-1]
                self.action_sort()
            return
        self._go(self.scroll_offset.y + event.y - 1)
        if event.chain > 1:
            self.action_open()

    # ---- keys --------------------------------------------------------------------------------------------------------

    def action_down(self) -> None:
        self.following = False
        self._go(self.cursor + 1)

    def action_up(self) -> None:
        self.following = False
        self._go(self.cursor - 1)

    def action_page_down(self) -> None:
        self._go(self.cursor + self.page_rows)

    def action_page_up(self) -> None:
        self._go(self.cursor - self.page_rows)

    def action_half_down(self) -> None:
        self._go(self.cursor + self.page_rows // 2)

    def action_half_up(self) -> None:
        self._go(self.cursor - self.page_rows // 2)

    def action_top(self) -> None:
        self._go(0)

    def action_bottom(self) -> None:
        self._go(self.pages.total - 1)

    def action_left(self) -> None:
        self.scroll_to(x=max(0, self.scroll_offset.x - 8), animate=False, immediate=True)

    def action_right(self) -> None:
        self.scroll_to(x=self.scroll_offset.x + 8, animate=False, immediate=True)

    def action_open(self) -> None:
        if self.row is not None:
            self.post_message(self.Opened(self, self.row))

    def action_filter(self) -> None:
        """Opens a bar to type into, where the screen has its place for one."""
        from tui.bars.typing import FilterBar

        bar = FilterBar(self)
        self.shed.type_into(bar)

    def action_follow(self) -> None:
        self.following = not self.following
        if self.following:
            self._settle_cursor()

    def action_column_left(self) -> None:
        self._choose(-1)

    def action_column_right(self) -> None:
        self._choose(1)

    def _choose(self, step: int) -> None:
        self._chosen = (self._chosen + step) % len(self._placed)
        self.refresh(Region(0, 0, self.size.width, 1))

    def action_sort(self) -> None:
        column = self._placed[self._chosen].column
        if column.sorts:
            descending = self.query_.sort == column.key
            self._anchor = None
            self.ask_for(self.query_.sorted(f"-{column.key}" if descending else column.key))
            self._go(0)

    def action_reverse(self) -> None:
        sort = self.query_.sort
        if sort:
            self._anchor = None
            self.ask_for(self.query_.sorted(sort[1:] if sort.startswith("-") else f"-{sort}"))
            self._go(0)

    def action_wide(self) -> None:
        self.extra = not self.extra
        self._drawn.clear()
        self._chosen = 0
        self._measure()
        self.refresh()

    def action_only_faults(self) -> None:
        if self.faults:
            self.ask_for(self.query_.filtered("" if self.query_.filter == self.faults else self.faults))

    def action_mark(self) -> None:
        row = self.row
        if row is not None:
            self._toggle(row)
            self._range_from = self.cursor
            self._go(self.cursor + 1)

    def action_mark_range(self) -> None:
        """From the last marked row to here, as far as the rows are here."""
        start = self.cursor if self._range_from is None else self._range_from
        first, last = sorted((start, self.cursor))
        self.marks |= {self.source.key(row): row for row in self.pages.here(range(first, last + 1))}
        self._range_from = self.cursor
        self._marks_changed()

    def action_unmark(self) -> None:
        self.marks.clear()
        self._marks_changed()

    def pin(self) -> None:
        """Makes the row under the cursor the one that others are compared with, or not any more."""
        key = None if self.row is None else self.source.key(self.row)
        self.pinned = None if key == self.pinned else key
        self._marks_changed()

    def _toggle(self, row: R) -> None:
        key = self.source.key(row)
        if self.marks.pop(key, None) is None:
            self.marks[key] = row
        self._marks_changed()

    def _marks_changed(self) -> None:
        lines: Iterable[int] = self.in_view
        first = self.scroll_offset.y
        self.refresh(*(Region(0, line - first + 1, GUTTER, 1) for line in lines))
        self.post_message(self.Counted(self))
