"""Serving: what answers requests, how fast, what is wrong with it, and the processes that do it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from textual import events
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Static

from tui.charts.widget import Curves
from tui.pane import Pane, wrap
from tui.rows import answered
from tui.rows import serving as rows
from tui.screens.answers import Answers
from tui.screens.base import Subject
from tui.screens.section import Section
from tui.table import Table

if TYPE_CHECKING:
    from store.wire import EndpointsView, ServingHistoryView
    from tui.failure import Failure
    from tui.rows.serving import Endpoint

_MOST_LINES: Final = 10
"""Of what is wrong; more is read by the endpoint."""


class Serving(Answers):
    TITLE_HERE = "Serving"
    AUTO_FOCUS = "#endpoints"

    def __init__(self) -> None:
        super().__init__()
        self._found: tuple[EndpointsView | None, ServingHistoryView] | None = None

    def body(self) -> Iterable[Widget]:
        with Horizontal():
            with Vertical(id="serving"):
                yield Pane(id="serving-head")
                yield Section(
                    rows.columns(),
                    lambda endpoint: endpoint.model,
                    empty="nothing answers requests\nS starts endpoints: what is in production answers then",
                    first=True,
                    id="endpoints",
                )
                yield Pane(id="figures")
                yield Section(
                    rows.worker_columns(), lambda worker: worker.number, empty="no process answers", id="workers"
                )
            with Vertical(classes="side half"):
                yield Static("", classes="pane-title", id="beside-title")
                yield Curves(empty="nothing was counted in this time", choice=False, id="rates")
                yield Curves(empty="", choice=False, id="times")

    @property
    def table(self) -> Section[Endpoint]:
        return self.query_one("#endpoints", Section)

    @property
    def endpoint(self) -> Endpoint | None:
        return self.table.row if self.is_mounted else None

    @property
    def subject(self) -> Subject | None:
        endpoint = self.endpoint
        if endpoint is None:
            return Subject("endpoints", "trainshed endpoints")
        return Subject(endpoint.model, f"trainshed endpoints history {endpoint.model}", endpoint.view)

    def show(self, view: EndpointsView | None, history: ServingHistoryView) -> None:
        self._found = (view, history)
        found = rows.endpoints_of(view, history)
        head = rows.head_then(found) if view is None else rows.head(view)
        pane = self.query_one("#serving-head", Pane)
        pane.styles.height = min(_MOST_LINES, len(wrap(head, pane.size.width or self.size.width)))
        pane.show(head)
        self.table.show(found)
        self.query_one("#workers", Section).show([] if view is None else view.workers)
        self._draw()
        self.refresh_bindings()

    def failed(self, failure: Failure) -> None:
        self.table.failed(failure)
        super().failed(failure)

    def _draw(self) -> None:
        """The figures or the curves of the endpoint under the cursor, whichever there is room for."""
        endpoint, frame = self.endpoint, self.shed.frame
        figures = self.query_one("#figures", Pane)
        lines = answered.figures(endpoint, self.minutes, self.size.width)
        figures.styles.height = len(lines)
        figures.show(lines)
        rates, times = (self.query_one(f"#{id}", Curves) for id in ("rates", "times"))
        if endpoint is None or not rates.is_on_screen:
            return
        self.query_one("#beside-title", Static).update(f"{endpoint.model}: the last {rows.window(self.minutes)}")
        for curves, drawn in ((rates, answered.rate_curves), (times, answered.time_curves)):
            curves.along_the_day()
            curves.show(drawn(endpoint, frame))

    def on_table_counted(self, _: Table.Counted) -> None:
        self.table.styles.height = min(self.table.wants, max(3, self.size.height // 3))

    def on_table_moved(self, event: Table.Moved) -> None:
        if event.table is self.table and self._found is not None:
            self._draw()

    def on_resize(self, _: events.Resize) -> None:
        if self._found is not None:
            self.call_after_refresh(self._draw)

    def on_table_opened(self, event: Table.Opened) -> None:
        if event.table is self.table:
            self.shed.open("endpoint", event.row.model)
