"""Drift: every monitor and the columns that moved, window by window, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Static

from tui.pane import Pane
from tui.records.monitors import monitors_at
from tui.rows import heat
from tui.rows import monitors as rows
from tui.screens.base import Subject
from tui.screens.watching import Watching
from tui.table import ListSource, Table
from tui.text import Lines, content

if TYPE_CHECKING:
    from store.wire import HeatView, MonitorView
    from tui.failure import Failure


class Drift(Watching):
    TITLE_HERE = "Drift"

    def body(self) -> Iterable[Widget]:
        columns = rows.columns()
        yield Horizontal(
            Vertical(
                Table(
                    columns,
                    ListSource(columns, lambda entry: entry.key, lambda: self.shed.frame, waiting=True),
                    empty="nothing is watched: what is served is, and S on Serving (5) starts endpoints\n"
                    "[monitors.NAME] in trainshed.toml watches other things",
                    faults=rows.FAULTS,
                ),
                Static(content([heat.legend()]), id="heat-legend"),
                Pane(id="below"),
                id="watched",
            ),
            Pane(id="facts", classes="side"),
        )

    @property
    def table(self) -> Table[rows.Entry]:
        return self.query_one(Table)

    @property
    def entry(self) -> rows.Entry | None:
        return self.table.row if self.is_mounted else None

    @property
    def monitor(self) -> MonitorView | None:
        return None if self.entry is None else self.entry.monitor

    @property
    def last_run(self) -> int | None:
        entry = self.entry
        return entry.heat.run if entry is not None and entry.heat is not None else super().last_run

    @property
    def explanation(self) -> Lines:
        return [] if self.entry is None else rows.sentence(self.entry)

    @property
    def subject(self) -> Subject | None:
        entry = self.entry
        if entry is None:
            return None
        command = f"trainshed monitors show {entry.monitor.name}"
        if entry.column is not None:
            return Subject(entry.column.name, f"{command} --column {entry.column.name}", entry.column)
        return Subject(f"monitor {entry.monitor.name}", command, entry.monitor)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What is drawn over time is on the screen of one monitor."""
        return action not in {"measure", "window"} and super().check_action(action, parameters)

    def read(self) -> None:
        moment = self.shed.moment
        self.tell_of_the_past(rows.THEN)
        self.ask("monitors", lambda daemon: monitors_at(daemon, moment), lambda found: self.show(*found), self._failed)

    def show(self, monitors: Sequence[MonitorView], heats: Mapping[str, HeatView]) -> None:
        self.table.show(rows.entries(monitors, heats))
        self._draw(self.table.row)

    def _failed(self, failure: Failure) -> None:
        self.table.failed(failure)
        self.refuse(failure)

    def on_table_moved(self, event: Table.Moved) -> None:
        self._draw(event.row)

    def _draw(self, entry: rows.Entry | None) -> None:
        self.query_one("#facts", Pane).show([] if entry is None else rows.facts(entry, self.shed.frame))
        self.query_one("#below", Pane).show([] if entry is None else rows.sentence(entry))
        self.refresh_bindings()

    def on_table_opened(self, event: Table.Opened) -> None:
        entry: rows.Entry = event.row
        words = [entry.column.name] if entry.column is not None else []
        self.shed.open("monitor", entry.monitor.name, *words)
