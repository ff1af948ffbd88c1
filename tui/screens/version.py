"""One version: its evidence, its gates, where it comes from and where it is live."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widget import Widget

from tui.keybindings import bindings
from tui.panes import Page, Panes
from tui.proposals.models import propose_promotion, propose_rollback
from tui.records.version import version_at
from tui.rows import evidence
from tui.rows import version as rows
from tui.rows.lineage import Origin, lineage, origins
from tui.rows.moves import moves
from tui.rows.signature import signature
from tui.screens.base import ShedScreen, Subject
from tui.text import Lines, line

if TYPE_CHECKING:
    from store.wire import ChangesView, LineageView, VersionDetail
    from tui.failure import Failure

_SUMMARY: Final = "summary"
_PANES: Final = (_SUMMARY, "gates", "curves", "calibration", "slices", "inputs", "lineage", "history")


_CHART: Final = (76, 14)
"""Cells of a chart: as wide as the narrowest screen."""


class VersionScreen(ShedScreen):
    BINDINGS: ClassVar[list[BindingType]] = bindings("models", "panes")
    AUTO_FOCUS = ""

    def __init__(self, model: str, version: str, pane: str = "") -> None:
        super().__init__()
        self.model = model
        self.version = int(version)
        self.TITLE_HERE = f"v{version}"
        self.detail: VersionDetail | None = None
        self._first = pane
        self._origins: tuple[Origin, ...] = ()

    def body(self) -> Iterable[Widget]:
        yield Horizontal(Page(id="lead", classes="lead"), Panes({name: Page() for name in _PANES}))

    @property
    def panes(self) -> Panes:
        return self.query_one(Panes)

    @property
    def subject(self) -> Subject:
        command = f"trainshed versions {self.model} show {self.version}"
        return Subject(f"{self.model} {self.version}", command, self.detail)

    def on_mount(self) -> None:
        self.panes.go(self._first or self.panes.here)

    def on_resize(self) -> None:
        """The summary has a place of its own where there is room."""
        wide = self.shed.size.width >= 160
        self.panes.set_aside(frozenset({_SUMMARY}) if wide else frozenset())

    def read(self) -> None:
        model, version, moment = self.model, self.version, self.shed.moment
        self.ask("version", lambda daemon: version_at(daemon, model, version, moment), self._show, self._failed)

    def news(self, changes: ChangesView) -> None:
        if any((one.model, one.version) == (self.model, self.version) for one in changes.versions):
            self.read()

    def _show(self, detail: VersionDetail) -> None:
        self.detail = detail
        self._draw()
        model, version = self.model, self.version
        self.ask("lineage", lambda daemon: daemon.version_lineage(model, version), self._show_lineage)

    def _show_lineage(self, found: LineageView) -> None:
        self._origins = origins(found)
        self._draw()

    def _failed(self, failure: Failure) -> None:
        if self.detail is None:
            excuse = (line((f"✘ {failure.what}", "bad")), line(f"→ {failure.remedy}"))
            self._fill(dict.fromkeys(_PANES, excuse))
        self.refuse(failure)

    def _draw(self) -> None:
        detail, frame = self.detail, self.shed.frame
        if detail is None:
            return
        size, style = _CHART, self.shed.chart_style
        self._fill(
            {
                _SUMMARY: rows.summary(detail, frame),
                "gates": rows.verdict_lines(detail, frame),
                "curves": [*rows.curves(detail), *rows.curve_chart(detail, *size, style)],
                "calibration": [
                    *evidence.calibration(detail.evidence),
                    line(),
                    *rows.calibration_chart(detail, *size, style),
                ],
                "slices": evidence.slices(detail.evidence),
                "inputs": signature(detail.signature),
                "lineage": lineage(detail, self._origins, frame),
                "history": moves(detail.aliases, frame),
            }
        )

    def _fill(self, pages: dict[str, Lines]) -> None:
        for name, lines in pages.items():
            self.panes.pane(name, Page).show(lines)
        self.query_one("#lead", Page).show(pages[_SUMMARY])

    def action_next_pane(self) -> None:
        self.panes.turn(1)

    def action_last_pane(self) -> None:
        self.panes.turn(-1)

    def action_lineage(self) -> None:
        self.panes.go("lineage")

    def action_promote(self) -> None:
        propose_promotion(self.shed, self.model, self.version)

    def action_roll_back(self) -> None:
        propose_rollback(self.shed, self.model)
