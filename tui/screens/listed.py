"""One list, and beside it what is known of the row under the cursor."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from tui.pane import Pane
from tui.screens.base import ShedScreen
from tui.table import Column, ListSource, Table
from tui.text import Lines

if TYPE_CHECKING:
    from tui.failure import Failure

R = TypeVar("R")


class Listed(ShedScreen, Generic[R]):
    """Subclasses make the body by `listing`, and say what stands in the panes."""

    def listing(
        self,
        columns: Sequence[Column[R]],
        identify: Callable[[R], Hashable],
        *,
        empty: str,
        faults: str,
        order: str = "",
        under: Sequence[Widget] = (),
        wider: bool = False,
    ) -> Widget:
        """The list over what stands `under` it, beside a pane, a `wider` one or not; a pane `below` is filled too."""
        source = ListSource(columns, identify, lambda: self.shed.frame, waiting=True)
        table = Table(columns, source, empty=empty, order=order, faults=faults)
        return Horizontal(
            Vertical(table, *under, classes="listing") if under else table,
            Pane(id="facts", classes="side wider" if wider else "side"),
        )

    def facts(self, row: R) -> Lines:
        """All that is known of a row."""
        raise NotImplementedError

    def below(self, row: R) -> Lines:
        """For the pane under the list, where there is no room beside it."""
        return []

    @property
    def table(self) -> Table[R]:
        return self.query_one(Table)

    @property
    def row(self) -> R | None:
        """Under the cursor."""
        return self.table.row if self.is_mounted else None

    def show_rows(self, rows: Sequence[R]) -> None:
        self.table.show(rows)
        self._draw()

    def _failed(self, failure: Failure) -> None:
        self.table.failed(failure)
        self.refuse(failure)

    def on_table_moved(self) -> None:
        self._draw()

    def _draw(self) -> None:
        row = self.row
        self.query_one("#facts", Pane).show([] if row is None else self.facts(row))
        for pane in self.query("#below").results(Pane):
            pane.show([] if row is None else self.below(row))
        self.refresh_bindings()
