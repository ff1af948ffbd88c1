"""One endpoint: what it answered over time, who takes which share, what is compared, and what was done to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Static

from tui.charts.widget import Curves
from tui.keybindings import bindings
from tui.pane import Pane
from tui.rows import answered, traffic
from tui.rows import run as run_rows
from tui.rows import serving as rows
from tui.screens.answers import Answers
from tui.screens.base import Subject
from tui.screens.paned import Paned
from tui.table import ListSource, Table
from tui.text import Line, content, line

if TYPE_CHECKING:
    from datetime import datetime

    from store.wire import ChangesView, EndpointsView, EventView, ServingHistoryView
    from tui.client import Client
    from tui.rows.serving import Endpoint

_EVENTS: Final = 60


class EndpointScreen(Paned, Answers):
    PAGES = ("charts", "traffic", "happened")
    INSIDE = "#rates"
    BINDINGS: ClassVar[list[BindingType]] = bindings("panes")
    AUTO_FOCUS = ""

    def __init__(self, model: str) -> None:
        super().__init__()
        self.model = model
        self._endpoint: Endpoint | None = None

    @property
    def crumbs(self) -> Sequence[str]:
        return [*list(super().crumbs)[:-1], self.model]

    @property
    def endpoint(self) -> Endpoint | None:
        return self._endpoint

    @property
    def subject(self) -> Subject | None:
        view = self._endpoint.view if self._endpoint is not None else None
        return Subject(self.model, f"trainshed endpoints history {self.model}", view)

    def body(self) -> Iterable[Widget]:
        columns = run_rows.event_columns()
        happened: Table[EventView] = Table(
            columns,
            ListSource(columns, lambda event: event.id, lambda: self.shed.frame, waiting=True),
            empty="nothing has happened to it yet",
            id="happened",
        )
        happened.add_class("run-page")
        yield Static("", id="endpoint-head")
        yield Static("", id="run-pages")
        with Horizontal():
            with Vertical(id="run-left", classes="run-column"), Vertical(id="charts", classes="run-page"):
                yield Curves(empty="asking what it answered", choice=False, id="rates")
                yield Curves(empty="", choice=False, id="times")
            with Vertical(id="run-right", classes="run-column"):
                yield Pane(id="traffic", classes="run-page", focusable=True)
                yield happened

    # ---- reading -----------------------------------------------------------------------------------------------------

    def read(self) -> None:
        super().read()
        self._read_events()

    def news(self, changes: ChangesView) -> None:
        super().news(changes)
        if changes.events:
            self._read_events()

    def _read_now_and_then(self) -> None:
        """Figures only: events are news when they come."""
        if self.is_current and self.shed.moment is None and not self.shed.held and self.shed.cut is None:
            super().read()

    def _read_events(self) -> None:
        model, moment = self.model, self.shed.moment
        table = self.query_one("#happened", Table)
        self.ask("events", lambda daemon: _events(daemon, model, moment), table.show, table.failed)

    # ---- showing -----------------------------------------------------------------------------------------------------

    def show(self, view: EndpointsView | None, history: ServingHistoryView) -> None:
        found = rows.endpoints_of(view, history)
        self._endpoint = next((one for one in found if one.model == self.model), None)
        self.query_one("#endpoint-head", Static).update(content(self._head(view)))
        endpoint, frame = self._endpoint, self.shed.frame
        about: list[Line] = [line(("nothing answers for it", "warn"))]
        if endpoint is not None:
            about = [] if endpoint.view is None else traffic.about(endpoint.view, frame)
        self.query_one("#traffic", Pane).show(about)
        for id, drawn in (("rates", answered.rate_curves), ("times", answered.time_curves)):
            curves = self.query_one(f"#{id}", Curves)
            curves.along_the_day()
            curves.show([] if endpoint is None else drawn(endpoint, frame), empty="nothing was counted in this time")
        self.refresh_bindings()

    def _head(self, view: EndpointsView | None) -> list[Line]:
        return rows.endpoint_head(self.model, self._endpoint, view, self.minutes)

    def on_table_opened(self, event: Table.Opened) -> None:
        self.say(event.row.message)


def _events(daemon: Client, model: str, moment: datetime | None) -> list[EventView]:
    """What was done to its versions and to all endpoints, newest first. Called in a thread."""
    found = [event for q in rows.filters(model, moment) for event in daemon.event_window(q, limit=_EVENTS).items]
    return rows.of_endpoint(model, found)
