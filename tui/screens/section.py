"""A short list among others on one screen: the cursor walks from one into the next; only the focused one shows it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, TypeVar, cast

from rich.segment import Segment
from textual.strip import Strip

from tui.table import Column, ListSource, Table
from tui.table.column import GUTTER
from tui.themes import Tone

if TYPE_CHECKING:
    from tui.app import ShedApp

R = TypeVar("R")


class Section(Table[R]):
    """Rows in memory under a title that is the first column's."""

    def __init__(
        self,
        columns: Sequence[Column[R]],
        identify: Callable[[R], Hashable],
        *,
        empty: str,
        fine: Tone = "dim",
        first: bool = False,
        id: str,
    ) -> None:
        """`first`: says for all of them why nothing can be shown. `fine`: what an empty list means."""
        source = ListSource(columns, identify, lambda: cast("ShedApp", self.app).frame, waiting=True)
        super().__init__(columns, source, empty=empty, id=id)
        self._fine: Tone = fine
        self._first = first
        self._came_once = False

    def show(self, rows: Sequence[R]) -> None:
        self._came_once = True
        super().show(rows)

    @property
    def wants(self) -> int:
        """Lines: a title, and the rows, or what stands in their place."""
        return 1 + max(1, self.pages.total)

    def action_down(self) -> None:
        if self.cursor >= self.pages.total - 1:
            self._hand_on(1)
        else:
            super().action_down()

    def action_up(self) -> None:
        if self.cursor == 0:
            self._hand_on(-1)
        else:
            super().action_up()

    def _hand_on(self, step: int) -> None:
        """To the next list that has rows."""
        sections = [s for s in self.screen.query(Section) if s is self or (s.pages.total and s.display and s.size)]
        place = sections.index(self) + step
        if 0 <= place < len(sections):
            after = sections[place]
            after._go(0 if step > 0 else after.pages.total - 1)
            after.focus()

    def _head(self) -> Strip:
        """The first column's title is the list's."""
        strip = super()._head()
        title = Segment(self._placed[0].column.title, self.toned("title"))
        end = GUTTER + title.cell_length
        return Strip.join([strip.crop(0, GUTTER), Strip([title]), strip.crop(end, strip.cell_length)])

    def _gutter(self, index: int, row: R) -> str:
        return super()._gutter(index, row) if self.has_focus else "  "

    def _below(self, y: int) -> Strip:
        """What there is instead of rows stands right under the title."""
        return super()._below(y + 1)

    def _excuse(self) -> list[tuple[str, str]]:
        if not self._came_once:
            return super()._excuse() if self._first and self.failure else [("…" if self._first else "", "dim")]
        if self.query_.filter:
            return super()._excuse()
        return [(line, self._fine) for line in self.empty.split("\n")]
