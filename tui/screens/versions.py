"""The versions of one model, against each other and against what is live; and the history of its aliases."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual.binding import BindingType
from textual.widget import Widget
from textual.widgets import Static

from tui.keybindings import bindings
from tui.pane import Pane
from tui.proposals.models import propose_promotion, propose_rollback
from tui.records.models import MOST_VERSIONS, moves_at, versions_at
from tui.rows import versions as rows
from tui.rows.moves import moves
from tui.screens.base import Subject
from tui.screens.listed import Listed
from tui.table import Table
from tui.text import Lines

if TYPE_CHECKING:
    from store.wire import AliasEventView, ChangesView, VersionView


class _Shelf(NamedTuple):
    versions: Sequence[VersionView]
    moves: Sequence[AliasEventView]


class Versions(Listed["VersionView"]):
    BINDINGS: ClassVar[list[BindingType]] = bindings("models")

    def __init__(self, model: str) -> None:
        super().__init__()
        self.model = model
        self.TITLE_HERE = model

    def body(self) -> Iterable[Widget]:
        yield self.listing(
            rows.columns(),
            lambda version: version.version,
            empty=f"{self.model} has no version yet\n`trainshed run train:{self.model}` trains one (Jobs, 7)",
            order="-version",
            faults=rows.FAULTS,
            under=[
                Static("aliases, newest move first", classes="pane-title"),
                Pane(id="moves", classes="below"),
            ],
            wider=True,
        )

    def facts(self, row: VersionView) -> Lines:
        return rows.facts(row, self.shed.frame)

    @property
    def subject(self) -> Subject | None:
        version = self.table.row
        if version is None:
            return None
        name = f"{version.model} {version.version}"
        return Subject(name, f"trainshed versions {version.model} show {version.version}", version)

    def read(self) -> None:
        model, moment = self.model, self.shed.moment
        self.ask(
            "shelf",
            lambda daemon: _Shelf(versions_at(daemon, model, moment), moves_at(daemon, model, moment)),
            self._show,
            self._failed,
        )

    def news(self, changes: ChangesView) -> None:
        if any(version.model == self.model for version in changes.versions):
            self.read()

    def _show(self, shelf: _Shelf) -> None:
        self.show_rows(shelf.versions)
        self.query_one("#moves", Pane).show(moves(shelf.moves, self.shed.frame))
        if len(shelf.versions) >= MOST_VERSIONS:
            self.say(f"the newest {MOST_VERSIONS:,} versions; `trainshed versions {self.model}` lists all", "warn")

    def on_table_opened(self, event: Table.Opened) -> None:
        self.shed.open("version", event.row.model, str(event.row.version))

    def action_promote(self) -> None:
        if self.table.row is not None:
            propose_promotion(self.shed, self.model, self.table.row.version)

    def action_roll_back(self) -> None:
        propose_rollback(self.shed, self.model)

    def action_lineage(self) -> None:
        if self.table.row is not None:
            self.shed.open("version", self.model, str(self.table.row.version), "lineage")
