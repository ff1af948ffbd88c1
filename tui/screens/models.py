"""Models: what is live of each, by what evidence, and the versions that there are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Static

from tui.keybindings import bindings
from tui.proposals.models import propose_promotion, propose_rollback
from tui.records.models import models_at, versions_at
from tui.rows import models as rows
from tui.rows import versions as version_rows
from tui.screens.base import ShedScreen, Subject
from tui.table import ListSource, Table

if TYPE_CHECKING:
    from store.wire import ChangesView, ModelView, VersionView
    from tui.failure import Failure


class Models(ShedScreen):
    BINDINGS: ClassVar[list[BindingType]] = bindings("models")
    TITLE_HERE = "Models"

    def body(self) -> Iterable[Widget]:
        columns, beside = rows.columns(), version_rows.short_columns()
        yield Horizontal(
            Table(
                columns,
                ListSource(columns, lambda model: model.name, lambda: self.shed.frame, waiting=True),
                empty="the project defines no models\n[models.NAME] in trainshed.toml defines one",
                id="models",
            ),
            Vertical(
                Static("versions", classes="pane-title", id="beside-title"),
                Table(
                    beside,
                    ListSource(beside, lambda version: version.version, lambda: self.shed.frame),
                    empty="no versions yet\nJobs (7) trains one: T on train:MODEL",
                    id="versions",
                    faults=version_rows.FAULTS,
                ),
                classes="side half",
            ),
        )

    @property
    def table(self) -> Table[ModelView]:
        return self.query_one("#models", Table)

    @property
    def beside(self) -> Table[VersionView]:
        return self.query_one("#versions", Table)

    @property
    def subject(self) -> Subject | None:
        if self.focused is self.beside and self.beside.row is not None:
            version = self.beside.row
            name = f"{version.model} {version.version}"
            return Subject(name, f"trainshed versions {version.model} show {version.version}", version)
        model = self.table.row
        return None if model is None else Subject(model.name, f"trainshed versions {model.name}", model)

    def read(self) -> None:
        moment = self.shed.moment
        self.ask("models", lambda daemon: models_at(daemon, moment), self.table.show, self._failed)
        self._read_beside()

    def _failed(self, failure: Failure) -> None:
        self.table.failed(failure)
        self.refuse(failure)

    def news(self, changes: ChangesView) -> None:
        """Models come whole with the changes; the project's own, without versions, only when the list is read."""
        if changes.models or changes.versions:
            self.read()

    def _read_beside(self) -> None:
        """The versions of the model under the cursor, where there is room for them."""
        model, moment = self.table.row, self.shed.moment
        if model is None or not self.beside.is_on_screen:
            return
        self.query_one("#beside-title", Static).update(f"{model.name}: versions")
        self.ask("versions", lambda daemon: versions_at(daemon, model.name, moment), self._show_beside)

    def _show_beside(self, found: Sequence[VersionView]) -> None:
        self.beside.show(found)

    def on_resize(self) -> None:
        self.call_after_refresh(self._read_beside)

    def on_table_moved(self, event: Table.Moved) -> None:
        if event.table is self.table:
            self._read_beside()

    def on_table_opened(self, event: Table.Opened) -> None:
        if event.table is self.table:
            self.shed.open("model", event.row.name)
        else:
            self.shed.open("version", event.row.model, str(event.row.version))

    def action_promote(self) -> None:
        """The version under the cursor; from the list of models, the newest one."""
        version = self.beside.row if self.focused is self.beside else None
        model = self.table.row
        if version is not None:
            propose_promotion(self.shed, version.model, version.version)
        elif model is not None and model.latest is not None:
            propose_promotion(self.shed, model.name, model.latest)
        elif model is not None:
            self.say(f"{model.name} has no version yet: `trainshed run train:{model.name}` makes one", "warn")

    def action_roll_back(self) -> None:
        if self.table.row is not None:
            propose_rollback(self.shed, self.table.row.name)

    def action_lineage(self) -> None:
        """Of the version under the cursor, or of the one that is live."""
        version = self.beside.row if self.focused is self.beside else None
        if version is None and self.table.row is not None:
            version = self.table.row.production
        if version is None:
            self.say("there is no version whose lineage could be shown", "warn")
        else:
            self.shed.open("version", version.model, str(version.version), "lineage")
