"""`a` on curves: which of them are drawn. Marks are what is chosen; Enter draws them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from tui.charts.plot import MOST
from tui.rows.words import count, figure
from tui.screens.actions import ListBox
from tui.table import Cell, Column, ListSource, Table

if TYPE_CHECKING:
    from store.wire import LatestMetric


class SeriesBox(ListBox):
    heading = f"Curves — Space marks up to {MOST}, Enter draws what is marked (or the one under the cursor)"

    def __init__(
        self,
        metrics: Sequence[LatestMetric],
        chosen: Sequence[str],
        choose: Callable[[list[str]], None],
        *,
        most: int = MOST,
    ) -> None:
        super().__init__()
        self._most = most
        self._metrics = metrics
        self._chosen = chosen
        self._choose = choose

    def table(self) -> Table[Any]:
        columns: list[Column[LatestMetric]] = [
            Column(key="name", title="curve", width=28, grows=True, draw=lambda m, _: Cell(m.name, "strong")),
            Column(
                key="value",
                title="newest",
                width=10,
                right=True,
                draw=lambda m, _: Cell(figure(m.value)),
                value=lambda m: m.value,
            ),
            Column(
                key="step",
                title="step",
                width=10,
                right=True,
                draw=lambda m, _: Cell(count(m.step), "dim"),
                value=lambda m: m.step,
            ),
        ]
        source = ListSource(columns, lambda metric: metric.name, lambda: self.shed.frame, self._metrics)
        table: Table[Any] = Table(columns, source, empty="this run has reported no metric")
        if self._most > 1:
            table.marks = {metric.name: metric for metric in self._metrics if metric.name in self._chosen}
        return table

    def on_table_opened(self, event: Table.Opened) -> None:
        event.stop()
        names = [metric.name for metric in event.table.chosen][: self._most]
        self.close()
        self._choose(names)
