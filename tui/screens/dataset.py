"""One dataset or feature view: versions, columns, checks, what was kept apart, a sample, and what surrounds it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar, Final

from textual.binding import BindingType
from textual.containers import Vertical
from textual.widget import Widget

from tui.keybindings import bindings
from tui.pane import Pane
from tui.panes import Page, Panes
from tui.records import data as records
from tui.rows import checks, columns, dataset
from tui.screens.base import ShedScreen, Subject
from tui.table import Column, ListSource, Table
from tui.text import line

if TYPE_CHECKING:
    from store.wire import ChangesView, ColumnView, QuarantineView
    from tui.failure import Failure

_LISTS: Final = ("versions", "columns", "checks", "sample")


class DatasetScreen(ShedScreen):
    BINDINGS: ClassVar[list[BindingType]] = bindings("data", "panes")
    AUTO_FOCUS = ""

    def __init__(self, name: str, pane: str = "") -> None:
        super().__init__()
        self.dataset = name
        self.version: int | None = None
        """The version that is looked at; None: the newest."""
        self.found: records.Table | None = None
        self.models: list[str] = []
        self._first = pane

    @property
    def TITLE_HERE(self) -> str:  # type: ignore[override]
        """With the version that is shown."""
        latest = None if self.found is None else self.found.detail.latest
        return self.dataset if latest is None else f"{self.dataset}@{latest.version}"

    def body(self) -> Iterable[Widget]:
        yield Panes(
            {
                "versions": self._list(
                    "versions", dataset.columns(), "-version", "no version yet: its job makes one (Jobs, 7)"
                ),
                "columns": Vertical(
                    self._list("columns", columns.columns(0), "", "no version yet, so no columns"),
                    Pane(id="profile", classes="lower"),
                ),
                "checks": Vertical(
                    self._list(
                        "checks",
                        checks.columns(),
                        "",
                        "no checks have run\n[[datasets.NAME.checks]] asks for one",
                        checks.FAULTS,
                    ),
                    Pane(id="found", classes="lower"),
                ),
                "quarantine": Page(id="quarantine"),
                "sample": self._list("sample", [], "", "no rows were kept as a sample"),
                "lineage": Page(id="around"),
            }
        )

    def _list(self, name: str, shape: list[Column[Any]], order: str, empty: str, faults: str = "") -> Table[Any]:
        source = ListSource(shape, _KEYS[name], lambda: self.shed.frame, waiting=True)
        return Table(shape, source, empty=empty, order=order, faults=faults, id=f"list-{name}")

    def list_of(self, name: str) -> Table[Any]:
        return self.query_one(f"#list-{name}", Table)

    @property
    def panes(self) -> Panes:
        return self.query_one(Panes)

    @property
    def subject(self) -> Subject:
        detail = None if self.found is None else self.found.detail
        return Subject(self.TITLE_HERE, f"trainshed data show {self.dataset}", detail)

    def on_mount(self) -> None:
        self.panes.go(self._first or self.panes.here)

    def read(self) -> None:
        name, version, moment = self.dataset, self.version, self.shed.moment
        self.ask("table", lambda daemon: records.table_at(daemon, name, version, moment), self._show, self._failed)
        self.ask("models", lambda daemon: records.models_using(daemon, name), self._show_models)
        self._read_apart()

    def _read_apart(self) -> None:
        """What was kept apart lies in a table of its own, which takes a process to read: only when it is looked at."""
        name = self.dataset
        if self.panes.here != "quarantine":
            return
        if self.shed.moment is None:
            self.ask("apart", lambda daemon: records.quarantine(daemon, name), self._show_apart, self._no_apart)
        else:
            words = "what was kept apart is not recorded over time; Esc goes to what it is now"
            self.query_one("#quarantine", Page).show([line((words, "dim"))])

    def news(self, changes: ChangesView) -> None:
        if any(view.name == self.dataset for view in changes.datasets):
            self.read()

    def _show(self, found: records.Table) -> None:
        self.found = found
        latest = found.detail.latest
        self.list_of("versions").show(found.versions)
        shape = columns.columns(0 if latest is None else latest.rows)
        self.list_of("columns").reshape(shape)
        self.list_of("columns").show([] if latest is None else latest.columns)
        self.list_of("checks").show(found.detail.checks)
        self.list_of("sample").reshape(dataset.sample_columns(found.detail.sample))
        self.list_of("sample").show([_Row(number, row) for number, row in enumerate(found.detail.sample)])
        self._draw_around()
        self.query_one("TopLine").refresh()

    def _show_models(self, models: list[str]) -> None:
        self.models = models
        self._draw_around()

    def _draw_around(self) -> None:
        found = self.found
        store = None if found is None else next((one for one in found.stores if one.name == self.dataset), None)
        if found is not None and store is not None:
            lines = dataset.around(store, found.stores, self.models, found.versions, self.shed.frame)
            self.query_one("#around", Page).show(lines)

    def _show_apart(self, view: QuarantineView) -> None:
        self.query_one("#quarantine", Page).show(checks.quarantine(view, self.shed.frame))

    def _no_apart(self, failure: Failure) -> None:
        excuse = [line((f"✘ {failure.what}", "bad")), line(f"→ {failure.remedy}")]
        self.query_one("#quarantine", Page).show(excuse)

    def _failed(self, failure: Failure) -> None:
        for name in _LISTS:
            self.list_of(name).failed(failure)
        self.refuse(failure)

    def on_table_moved(self, event: Table.Moved) -> None:
        if event.table.id == "list-columns":
            self._draw_profile(event.row)
        elif event.table.id == "list-checks":
            lines = [] if event.row is None else checks.found(event.row, self.shed.frame)
            self.query_one("#found", Pane).show(lines)

    def _draw_profile(self, column: ColumnView | None) -> None:
        latest = None if self.found is None else self.found.detail.latest
        lines = [] if column is None or latest is None else columns.profile(column, latest.rows)
        self.query_one("#profile", Pane).show(lines)

    def on_table_opened(self, event: Table.Opened) -> None:
        """A version is looked at in all panes."""
        if event.table.id == "list-versions":
            self.version = event.row.version
            self.read()
            self.panes.go("columns")

    def action_next_pane(self) -> None:
        self.panes.turn(1)
        self._read_apart()

    def action_last_pane(self) -> None:
        self.panes.turn(-1)
        self._read_apart()

    def action_checks(self) -> None:
        self.panes.go("checks")


class _Row(dict[str, Any]):
    """A sampled row, which has no key of its own: its place is one."""

    def __init__(self, place: int, values: dict[str, Any]) -> None:
        super().__init__(values)
        self.place = place


_KEYS: Final[dict[str, Any]] = {
    "versions": lambda version: version.version,
    "columns": lambda column: column.name,
    "checks": lambda check: (check.run, check.check),
    "sample": lambda row: row.place,
}
