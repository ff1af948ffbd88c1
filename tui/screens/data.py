"""Data: where rows come from, where they are, how new and how good they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widget import Widget

from tui.keybindings import bindings
from tui.pane import Pane
from tui.records.data import stores_at
from tui.rows import data as rows
from tui.screens.base import ShedScreen, Subject
from tui.table import ListSource, Table

if TYPE_CHECKING:
    from store.wire import ChangesView
    from tui.failure import Failure


class Data(ShedScreen):
    BINDINGS: ClassVar[list[BindingType]] = bindings("data")
    TITLE_HERE = "Data"

    def __init__(self) -> None:
        super().__init__()
        self.stores: Sequence[rows.Store] = ()

    def body(self) -> Iterable[Widget]:
        columns = rows.columns()
        yield Horizontal(
            Table(
                columns,
                ListSource(columns, lambda store: (store.kind, store.name), lambda: self.shed.frame, waiting=True),
                empty="the project defines no sources and no datasets\n[sources.NAME] in trainshed.toml defines one",
                faults=rows.FAULTS,
            ),
            Pane(id="facts", classes="side"),
        )

    @property
    def table(self) -> Table[rows.Store]:
        return self.query_one(Table)

    @property
    def subject(self) -> Subject | None:
        store = self.table.row
        if store is None:
            return None
        if store.data is None:
            return Subject(store.name, "trainshed data sources", store.source)
        return Subject(rows.name(store).text, f"trainshed data show {store.name}", store.data)

    def read(self) -> None:
        moment = self.shed.moment
        self.ask("stores", lambda daemon: stores_at(daemon, moment), self._show, self._failed)

    def news(self, changes: ChangesView) -> None:
        """Tables that changed; and sources, which change with the runs that read them."""
        if changes.datasets or any(run.kind in {"etl", "features"} and run.ended_at for run in changes.runs):
            self.read()

    def _show(self, found: Sequence[rows.Store]) -> None:
        self.stores = found
        self.table.show(found)
        self._draw_facts(self.table.row)
        if self.shed.moment is not None:
            self.say("of the past: versions and rows; what the checks said then is in each dataset", "")

    def _failed(self, failure: Failure) -> None:
        self.table.failed(failure)
        self.refuse(failure)

    def on_table_moved(self, event: Table.Moved) -> None:
        self._draw_facts(event.row)

    def _draw_facts(self, store: rows.Store | None) -> None:
        lines = [] if store is None else rows.facts(store, self.stores, self.shed.frame)
        self.query_one("#facts", Pane).show(lines)

    def on_table_opened(self, event: Table.Opened) -> None:
        self._open(event.row, "")

    def action_checks(self) -> None:
        if self.table.row is not None:
            self._open(self.table.row, "checks")

    def _open(self, store: rows.Store, pane: str) -> None:
        """A source has no screen of its own: what it feeds has."""
        if store.data is not None:
            self.shed.open("dataset", store.name, *([pane] if pane else []))
        elif users := rows.used_by(store, self.stores):
            self.shed.open("dataset", users[0], *([pane] if pane else []))
        else:
            self.say(f"no dataset is made from {store.name}", "warn")
