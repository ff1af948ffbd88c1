"""One experiment: its interval over time about no difference, where it stands and why; begun, promoted and ended."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final

from textual import events
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Static

from tui.keybindings import bindings
from tui.pane import Pane
from tui.proposals.models import propose_promotion
from tui.proposals.traffic import change_of, plan_of_traffic
from tui.rows import experiments as rows
from tui.screens.base import Subject
from tui.screens.paned import Paned
from tui.text import content

if TYPE_CHECKING:
    from store.wire import ChangesView, ExperimentView

_EVERY_SECONDS: Final = 30.0
"""The daemon looks at most so often."""
_PAST: Final = "Of an experiment its intervals are kept over time; arms, guardrails and findings are of the last look"


class ExperimentScreen(Paned):
    PAGES = ("intervals", "standing")
    INSIDE = ""
    BINDINGS: ClassVar[list[BindingType]] = bindings("panes", "experiment")
    AUTO_FOCUS = ""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.called = name
        self._view: ExperimentView | None = None

    @property
    def crumbs(self) -> Sequence[str]:
        return [*list(super().crumbs)[:-1], f"experiment {self.called}"]

    @property
    def subject(self) -> Subject | None:
        name = self.called
        return Subject(f"experiment {name}", f"trainshed experiment show {name} --last", self._view)

    def body(self) -> Iterable[Widget]:
        yield Static("", id="endpoint-head")
        yield Static("", id="run-pages")
        with Horizontal():
            with Vertical(id="run-left", classes="run-column"):
                yield Pane(id="intervals", classes="run-page", focusable=True)
            with Vertical(id="run-right", classes="run-column"):
                yield Pane(id="standing", classes="run-page", focusable=True)

    # ---- reading -----------------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        self.set_interval(_EVERY_SECONDS, self._read_now_and_then)

    def read(self) -> None:
        self.tell_of_the_past(_PAST)
        name = self.called
        self.ask("experiment", lambda daemon: daemon.experiment(name), self.show)

    def news(self, changes: ChangesView) -> None:
        """What becomes of it is news; a look that changes nothing is read now and then."""
        if any(event.kind.startswith(("comparison", "alias")) for event in changes.events):
            self.read()

    def _read_now_and_then(self) -> None:
        if self.is_current and self.shed.moment is None and not self.shed.held and self.shed.cut is None:
            self.read()

    # ---- showing -----------------------------------------------------------------------------------------------------

    def show(self, view: ExperimentView) -> None:
        self._view = rows.then(view, self.shed.moment)
        self._draw()
        self.refresh_bindings()

    def _draw(self) -> None:
        view, frame = self._view, self.shed.frame
        self.query_one("#endpoint-head", Static).update(content(rows.head(self.called, view, frame)))
        if view is None:
            return
        pane = self.query_one("#intervals", Pane)
        width, height = pane.scrollable_content_region.size
        pane.show(rows.over_time(view, frame, width, height, ascii=self.shed.chart_style == "ascii"))
        self.query_one("#standing", Pane).show(rows.standing(view, frame))

    def on_resize(self, _: events.Resize) -> None:
        self.call_after_refresh(self._draw)

    def _open(self, page: str) -> None:
        """A pane that was not there has its size only now."""
        super()._open(page)
        self.call_after_refresh(self._draw)

    # ---- keys --------------------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Nothing is done to what is not known yet, and only a version that is compared can win."""
        view = self._view
        if action == "experiment" and view is None:
            return False
        if action == "promote" and (view is None or view.comparison is None or view.comparison.status != "running"):
            return False
        return super().check_action(action, parameters)

    def action_experiment(self) -> None:
        """Ends it, says that it was seen, or begins it."""
        view = self._view
        if view is None:
            return
        asked: dict[str, Any] = {"do": "experiment", "name": self.called}
        if rows.stands(view):
            asked = {"do": "stop", "kind": "experiment", "name": self.called}
        plan_of_traffic(self, view.model, change_of(**asked))

    def action_promote(self) -> None:
        view = self._view
        if view is not None and view.comparison is not None:
            propose_promotion(self.shed, view.model, view.comparison.treatments[0].version)
