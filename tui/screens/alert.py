"""One alert: its evidence and what to do, whom it was told to, and what happened to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Static

from tui.keybindings import bindings
from tui.panes import Page
from tui.records.alerts import alert_at
from tui.rows import alerts as rows
from tui.rows import run as run_rows
from tui.screens.base import Subject
from tui.screens.noticed import Noticed
from tui.screens.paned import Paned
from tui.table import ListSource, Table
from tui.text import Lines, content, line

if TYPE_CHECKING:
    from store.wire import AlertDetail, AlertView, ChangesView, EventView
    from tui.failure import Failure


class AlertScreen(Paned, Noticed):
    PAGES = ("evidence", "told", "happened")
    INSIDE = ""
    BINDINGS: ClassVar[list[BindingType]] = bindings("panes")
    AUTO_FOCUS = ""

    def __init__(self, number: str) -> None:
        super().__init__()
        self.number = int(number)
        self._detail: AlertDetail | None = None

    @property
    def crumbs(self) -> Sequence[str]:
        return [*list(super().crumbs)[:-1], f"alert {self.number}"]

    @property
    def alert(self) -> AlertView | None:
        return None if self._detail is None else self._detail.alert

    @property
    def explanation(self) -> Lines:
        return [] if self.alert is None else rows.sentence(self.alert)

    @property
    def subject(self) -> Subject:
        return Subject(f"alert {self.number}", f"trainshed alerts show {self.number}", self._detail)

    def body(self) -> Iterable[Widget]:
        columns = run_rows.event_columns()
        happened: Table[EventView] = Table(
            columns,
            ListSource(columns, lambda event: event.id, lambda: self.shed.frame, waiting=True),
            empty="nothing of it is in the history",
            id="happened",
        )
        happened.add_class("run-page")
        yield Static("", id="alert-head")
        yield Static("", id="run-pages")
        with Horizontal():
            with Vertical(id="run-left", classes="run-column"):
                yield Page(id="evidence", classes="run-page")
            with Vertical(id="run-right", classes="run-column"):
                yield Static("who is told", classes="pane-title -apart")
                yield Page(id="told", classes="run-page")
                yield Static("what happened to it", classes="pane-title -apart")
                yield happened

    # ---- reading -----------------------------------------------------------------------------------------------------

    def read(self) -> None:
        number, moment = self.number, self.shed.moment
        self.tell_of_the_past(rows.THEN)
        self.ask(
            "alert", lambda daemon: alert_at(daemon, number, moment), lambda found: self.show(*found), self._failed
        )

    def news(self, changes: ChangesView) -> None:
        """What it says, whom it was told to, or what happened to it."""
        changed = {*changes.told, *(alert.id for alert in changes.alerts)}
        if self.number in changed or any(event.subject == f"alert {self.number}" for event in changes.events):
            self.read()

    def show(self, detail: AlertDetail, happened: Sequence[EventView]) -> None:
        self._detail, frame = detail, self.shed.frame
        self.query_one("#alert-head", Static).update(content(rows.head(detail.alert, frame)))
        self.query_one("#evidence", Page).show(rows.evidence(detail.alert, frame))
        self.query_one("#told", Page).show(rows.told(detail.alert, detail.told, frame))
        self.query_one("#happened", Table).show(happened)
        self.refresh_bindings()

    def _failed(self, failure: Failure) -> None:
        if self._detail is None:
            excuse = [line((f"✘ {failure.what}", "bad")), line(f"→ {failure.remedy}")]
            self.query_one("#evidence", Page).show(excuse)
            self.query_one("#told", Page).show([])
            self.query_one("#happened", Table).failed(failure)
        self.refuse(failure)

    def on_table_opened(self, event: Table.Opened) -> None:
        self.say(event.row.message)
