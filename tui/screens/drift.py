"""Drift: every monitor and the columns that moved, window by window, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from textual.widget import Widget
from textual.widgets import Static

from tui.pane import Pane
from tui.records.monitors import monitors_at
from tui.rows import heat
from tui.rows import monitors as rows
from tui.screens.base import Subject
from tui.screens.listed import Listed
from tui.screens.watching import Watching
from tui.table import Table
from tui.text import Lines, content

if TYPE_CHECKING:
    from store.wire import HeatView, MonitorView


class Drift(Listed[rows.Entry], Watching):
    TITLE_HERE = "Drift"

    def body(self) -> Iterable[Widget]:
        yield self.listing(
            rows.columns(),
            lambda entry: entry.key,
            empty="nothing is watched: what is served is, and S on Serving (5) starts endpoints\n"
            "[monitors.NAME] in trainshed.toml watches other things",
            faults=rows.FAULTS,
            under=[Static(content([heat.legend()]), id="heat-legend"), Pane(id="below")],
        )

    def facts(self, row: rows.Entry) -> Lines:
        return rows.facts(row, self.shed.frame)

    def below(self, row: rows.Entry) -> Lines:
        return rows.sentence(row)

    @property
    def monitor(self) -> MonitorView | None:
        return None if self.row is None else self.row.monitor

    @property
    def last_run(self) -> int | None:
        entry = self.row
        return entry.heat.run if entry is not None and entry.heat is not None else super().last_run

    @property
    def explanation(self) -> Lines:
        return [] if self.row is None else rows.sentence(self.row)

    @property
    def subject(self) -> Subject | None:
        entry = self.row
        if entry is None:
            return None
        command = f"trainshed monitors show {entry.monitor.name}"
        if entry.column is not None:
            return Subject(entry.column.name, f"{command} --column {entry.column.name}", entry.column)
        return Subject(f"monitor {entry.monitor.name}", command, entry.monitor)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What is drawn over time is on the screen of one monitor."""
        return action not in {"measure", "window", "older", "newer"} and super().check_action(action, parameters)

    def read(self) -> None:
        moment = self.shed.moment
        self.tell_of_the_past(rows.THEN)
        self.ask("monitors", lambda daemon: monitors_at(daemon, moment), lambda found: self.show(*found), self._failed)

    def show(self, monitors: Sequence[MonitorView], heats: Mapping[str, HeatView]) -> None:
        self.show_rows(rows.entries(monitors, heats))

    def on_table_opened(self, event: Table.Opened) -> None:
        entry: rows.Entry = event.row
        words = [entry.column.name] if entry.column is not None else []
        self.shed.open("monitor", entry.monitor.name, *words)
