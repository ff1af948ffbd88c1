"""The widget: a list of rows of one kind, with its keys. What it holds: holding.py. How it is drawn: picture.py."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

from textual.geometry import Region

from tui.keybindings import bindings
from tui.table import messages
from tui.table.column import GAP, GUTTER, Column
from tui.table.holding import Holding
from tui.table.source import Source

if TYPE_CHECKING:
    from textual import events

R = TypeVar("R")
_STEP: Final = 2
"""Cells that a column becomes narrower or wider by."""
_LEAST: Final = 3
_OF_COLUMNS: Final = frozenset({"column_left", "column_right", "sort", "narrower", "wider"})


class Table(Holding[R], can_focus=True):
    """A list of rows of one kind."""

    BINDINGS = bindings("list")
    Moved: TypeAlias = messages.Moved
    Opened: TypeAlias = messages.Opened
    Counted: TypeAlias = messages.Counted
    Refused: TypeAlias = messages.Refused

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
        super().__init__(columns, source, empty=empty, order=order, id=id)
        self.faults = faults

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys of columns mean nothing while there are none: not drawn yet, or still asked for."""
        if action in _OF_COLUMNS and not self._placed:
            return False
        return super().check_action(action, parameters)

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
        if any(column.key == sort.removeprefix("-") and column.sorts for column in self.columns):
            self._anchor = None
            self.ask_for(self.query_.sorted(sort[1:] if sort.startswith("-") else f"-{sort}"))
            self._go(0)

    def action_narrower(self) -> None:
        self._widen(-_STEP)

    def action_wider(self) -> None:
        self._widen(_STEP)

    def _widen(self, cells: int) -> None:
        """The chosen column takes so many cells more, and keeps them."""
        chosen = self._placed[self._chosen]
        self.widths[chosen.column.key] = max(_LEAST, chosen.width + cells)
        self.shed.keep_widths(self.name_of_list, self.widths)
        self._forget_cells()
        self._measure()
        self.refresh()

    def action_wide(self) -> None:
        self.extra = not self.extra
        self._forget_cells()
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
            self._range_from = self.source.key(row)
            self._go(self.cursor + 1)

    def action_mark_range(self) -> None:
        """From the last marked row to here, as far as the rows are here."""
        start = None if self._range_from is None else self.pages.find(self._range_from)
        first, last = sorted((self.cursor if start is None else start, self.cursor))
        self.marks |= {self.source.key(row): row for row in self.pages.here(range(first, last + 1))}
        self._range_from = None if self.row is None else self.source.key(self.row)
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
