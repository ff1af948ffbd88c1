"""Alerts: what wants somebody, who knows of it, and what is over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from tui.pane import Pane
from tui.records.alerts import MOST, alerts_at
from tui.rows import alerts as rows
from tui.screens.base import Subject
from tui.screens.noticed import Noticed
from tui.table import ListSource, Table
from tui.text import Lines

if TYPE_CHECKING:
    from store.wire import AlertView, ChangesView
    from tui.failure import Failure


class Alerts(Noticed):
    TITLE_HERE = "Alerts"

    def body(self) -> Iterable[Widget]:
        columns = rows.columns()
        yield Horizontal(
            Vertical(
                Table(
                    columns,
                    ListSource(columns, lambda alert: alert.id, lambda: self.shed.frame, waiting=True),
                    empty="nothing has ever wanted you\nmonitors open alerts: Drift (6) shows what they look at",
                    faults=rows.FAULTS,
                ),
                Pane(id="below"),
            ),
            Pane(id="facts", classes="side wider"),
        )

    @property
    def table(self) -> Table[AlertView]:
        return self.query_one(Table)

    @property
    def alert(self) -> AlertView | None:
        return self.table.row if self.is_mounted else None

    @property
    def alerts(self) -> Sequence[AlertView]:
        return self.table.chosen if self.is_mounted else []

    @property
    def explanation(self) -> Lines:
        return [] if self.alert is None else rows.sentence(self.alert)

    @property
    def subject(self) -> Subject | None:
        alert = self.alert
        if alert is None:
            return None
        return Subject(f"alert {alert.id}", f"trainshed alerts show {alert.id}", alert)

    def read(self) -> None:
        moment = self.shed.moment
        self.tell_of_the_past(rows.THEN)
        self.ask("alerts", lambda daemon: alerts_at(daemon, moment), self.show, self._failed)

    def news(self, changes: ChangesView) -> None:
        if changes.alerts:
            self.read()

    def show(self, found: Sequence[AlertView]) -> None:
        self.table.show(found)
        self._draw(self.table.row)
        if sum(alert.state != "resolved" for alert in found) >= MOST:
            self.say(f"the newest {MOST}; `trainshed alerts list` has all", "warn")

    def _failed(self, failure: Failure) -> None:
        self.table.failed(failure)
        self.refuse(failure)

    def on_table_moved(self, event: Table.Moved) -> None:
        self._draw(event.row)

    def done(self) -> None:
        self.table.action_unmark()
        super().done()

    def on_table_counted(self, _: Table.Counted) -> None:
        self.refresh_bindings()  # other marks, perhaps

    def _draw(self, alert: AlertView | None) -> None:
        frame = self.shed.frame
        self.query_one("#facts", Pane).show([] if alert is None else rows.facts(alert, frame))
        self.query_one("#below", Pane).show([] if alert is None else rows.below(alert, frame))
        self.refresh_bindings()

    def on_table_opened(self, event: Table.Opened) -> None:
        self.shed.open("alert", str(event.row.id))
