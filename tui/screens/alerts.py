"""Alerts: what wants somebody, who knows of it, and what is over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from textual.widget import Widget

from tui.pane import Pane
from tui.records.alerts import MOST, alerts_at
from tui.rows import alerts as rows
from tui.screens.base import Subject
from tui.screens.listed import Listed
from tui.screens.noticed import Noticed
from tui.table import Table
from tui.text import Lines

if TYPE_CHECKING:
    from store.wire import AlertView, ChangesView


class Alerts(Listed["AlertView"], Noticed):
    TITLE_HERE = "Alerts"

    def body(self) -> Iterable[Widget]:
        yield self.listing(
            rows.columns(),
            lambda alert: alert.id,
            empty="nothing has ever wanted you\nmonitors open alerts: Drift (6) shows what they look at",
            faults=rows.FAULTS,
            under=[Pane(id="below")],
            wider=True,
        )

    def facts(self, row: AlertView) -> Lines:
        return rows.facts(row, self.shed.frame)

    def below(self, row: AlertView) -> Lines:
        return rows.below(row, self.shed.frame)

    @property
    def alert(self) -> AlertView | None:
        return self.row

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
        self.show_rows(found)
        if sum(alert.state != "resolved" for alert in found) >= MOST:
            self.say(f"the newest {MOST}; `trainshed alerts list` has all", "warn")

    def done(self) -> None:
        self.table.action_unmark()
        super().done()

    def on_table_counted(self, _: Table.Counted) -> None:
        self.refresh_bindings()  # other marks, perhaps

    def on_table_opened(self, event: Table.Opened) -> None:
        self.shed.open("alert", str(event.row.id))
