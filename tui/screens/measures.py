"""`a` on a monitor: which measure of the column is drawn over time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from tui.rows.watched import MEASURES
from tui.rows.words import figure
from tui.screens.actions import ListBox
from tui.table import Cell, Column, ListSource, Table
from tui.text import line


class _Choice(NamedTuple):
    name: str
    value: float | None


class MeasureBox(ListBox):
    heading = "Measure — Enter draws it"

    def __init__(self, column: str, offered: Sequence[tuple[str, float | None]], choose: Callable[[str], None]) -> None:
        """`offered`: measures of the column, each with its newest value."""
        super().__init__()
        self.explanation = [line(("of ", "dim"), (column, "strong"), (" in the newest window", "dim"))]
        self._offered = [_Choice(*one) for one in offered]
        self._choose = choose

    def table(self) -> Table[Any]:
        columns: list[Column[_Choice]] = [
            Column(key="name", title="measure", width=15, draw=lambda c, _: Cell(c.name, "strong")),
            Column(key="value", title="newest", width=9, right=True, draw=lambda c, _: Cell(figure(c.value))),
            Column(key="what", title="", width=24, grows=True, draw=lambda c, _: Cell(MEASURES[c.name], "dim")),
        ]
        source = ListSource(columns, lambda choice: choice.name, lambda: self.shed.frame, self._offered)
        return Table(columns, source, empty="no window has measured it yet")

    def on_table_opened(self, event: Table.Opened) -> None:
        event.stop()
        self.close()
        self._choose(event.row.name)
