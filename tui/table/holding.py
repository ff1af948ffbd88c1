"""Which rows are here, and which of them the cursor is on.

Rows are asked for by position, a page of 128 at a time, as they come into view. News replaces rows in their places.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from textual.geometry import Region

from tui.failure import Failure
from tui.table.column import Column
from tui.table.messages import Counted, Moved, Refused
from tui.table.pages import PAGE
from tui.table.picture import Picture
from tui.table.rest import Rest
from tui.table.source import ListSource, Query, Slice, Source

if TYPE_CHECKING:
    from textual import events

R = TypeVar("R")


class Holding(Picture[R]):
    """Asks for rows, keeps the cursor on its row, and says where it is."""

    def __init__(
        self,
        columns: Sequence[Column[R]],
        source: Source[R],
        *,
        empty: str,
        order: str = "",
        id: str | None = None,
    ) -> None:
        super().__init__(columns, source, empty=empty, order=order, id=id)
        self.following = False
        self.rest = Rest(self._tell)
        self._anchor: Hashable | None = None
        self._range_from: Hashable | None = None
        """The row that was marked last, whose place is another one once newer rows come."""
        self._asked: set[int] = set()
        self._era = 0
        self._counted_era = -1
        self._other_query = False
        self._told: Failure | None = None
        """Why what was asked for cannot be had, as the screen was told."""

    # ---- what others ask of it ---------------------------------------------------------------------------------------

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
        self._forget_cells()
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
        self.post_message(Counted(self))

    def reread(self) -> None:
        """Everything may be different: asks again for what is on screen."""
        self._era += 1
        self._asked.clear()
        self.pages.age()
        if self._other_query:
            self.cursor = 0
            self.scroll_to(y=0, animate=False, immediate=True)
        self._want()

    def renew(self, rows: Mapping[Hashable, R]) -> set[Hashable]:
        """Newer states of rows, by key; what is not here does not matter. Returns the keys of those that differ."""
        places = self.pages.replace(rows)
        for index in places:
            self._redraw(index)
            if index == self.cursor:
                self.post_message(Moved(self, self.row))
        for key in self.marks.keys() & rows.keys():
            self.marks[key] = rows[key]
        return {self.source.key(row) for row in self.pages.here(places)}

    def failed(self, failure: Failure) -> None:
        """The rows cannot be had; what is here stays."""
        self.failure = failure
        self._asked.clear()
        self.refresh()

    # ---- rows come ---------------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
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
            try:
                found = source.window(None, query, number * PAGE, PAGE)  # type: ignore[arg-type]
            except Failure as failure:
                self._refused(failure)
            else:
                self._came(number, era, found)
            return
        self.shed.ask(
            f"{id(self)}:{number}",
            lambda daemon: source.window(daemon, query, number * PAGE, PAGE),
            lambda found: self._came(number, era, found),
            refused=self._refused,
        )

    def _refused(self, failure: Failure) -> None:
        """Over rows that are here it has to be said: they look as if they were those that were asked for."""
        self.failed(failure)
        if self.pages.total:
            self._told = failure
            self.post_message(Refused(self, failure))

    def _came(self, number: int, era: int, found: Slice[R]) -> None:
        self._asked.discard(number)
        if era != self._era:
            return
        before = self.pages.total
        self.failure = None
        if self._told is not None:
            self.post_message(Refused(self, self._told, over=True))
            self._told = None
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
            self.post_message(Counted(self))
        if before == 0 or self.pages.total == 0:
            self.refresh()
        seen = self.in_view
        for index in range(max(seen.start, number * PAGE), min(seen.stop, number * PAGE + PAGE)):
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
            self.post_message(Counted(self))

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
        self.post_message(Moved(self, self.row))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        seen = self.in_view
        self._drawn = {index: cells for index, cells in self._drawn.items() if index in seen}
        self._ready = {index: found for index, found in self._ready.items() if index in seen}
        self._want()

    def on_unmount(self) -> None:
        self.rest.leave()

    def on_blur(self, _: events.Blur) -> None:
        self.rest.arrive()
