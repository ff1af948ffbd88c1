"""Data: where rows come from, where they are, how new and how good they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.widget import Widget

from tui.keybindings import bindings
from tui.records.data import stores_at
from tui.rows import data as rows
from tui.screens.base import Subject
from tui.screens.listed import Listed
from tui.table import Table
from tui.text import Lines

if TYPE_CHECKING:
    from store.wire import ChangesView


class Data(Listed[rows.Store]):
    BINDINGS: ClassVar[list[BindingType]] = bindings("data")
    TITLE_HERE = "Data"

    def __init__(self) -> None:
        super().__init__()
        self.stores: Sequence[rows.Store] = ()

    def body(self) -> Iterable[Widget]:
        yield self.listing(
            rows.columns(),
            lambda store: (store.kind, store.name),
            empty="the project defines no sources and no datasets\n[sources.NAME] in trainshed.toml defines one",
            faults=rows.FAULTS,
        )

    def facts(self, row: rows.Store) -> Lines:
        return rows.facts(row, self.stores, self.shed.frame)

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
        self.show_rows(found)
        if self.shed.moment is not None:
            self.say("of the past: versions and rows; what the checks said then is in each dataset", "")

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
