"""What the screens of endpoints share: how they read, how far they look back, and the keys that change traffic."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import BindingType

from tui.keybindings import bindings
from tui.proposals.endpoints import switch_now
from tui.proposals.models import propose_rollback
from tui.proposals.traffic import change_of, plan_of_traffic
from tui.rows import experiments
from tui.rows import serving as rows
from tui.screens.base import ShedScreen
from tui.screens.parting import AskExperiment, AskShares, AskVersion

if TYPE_CHECKING:
    from store.wire import ChangesView, EndpointsView, ExperimentView, ServingHistoryView
    from tui.failure import Failure
    from tui.rows.serving import Endpoint

_TAKEN_BACK: Final = frozenset({"rolled back", "invalid"})
_OF_AN_ENDPOINT: Final = frozenset({"roll_back", "weights", "canary", "shadow", "experiment", "open_experiment"})
_MINE: Final = ("endpoint", "comparison", "shadow", "alias")
"""Kinds of events that change who answers."""


class Answers(ShedScreen):
    """Subclasses say which endpoint the keys mean, and show what was read."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("serving")
    PAST: ClassVar[str] = "Who answered then is known by what was counted; processes, arms and stages are not kept"

    def __init__(self) -> None:
        super().__init__()
        self.minutes = 60

    @property
    def endpoint(self) -> Endpoint | None:
        """What the keys mean."""
        raise NotImplementedError

    def show(self, view: EndpointsView | None, history: ServingHistoryView) -> None:
        """`view`: None at a time in the past."""
        raise NotImplementedError

    # ---- reading -----------------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        lite = self.shed.settings.lite
        every = rows.EVERY_SECONDS_LITE if lite else rows.EVERY_SECONDS
        self.rhythm = self.set_interval(every, self._read_now_and_then)

    def read(self) -> None:
        self.tell_of_the_past(self.PAST)
        moment, minutes = self.shed.moment, self.minutes
        self.ask(
            "serving",
            lambda daemon: (
                daemon.endpoints() if moment is None else None,
                daemon.endpoint_history(minutes=minutes, points=rows.POINTS, at=moment),
            ),
            lambda found: self.show(*found),
            self.failed,
        )

    def news(self, changes: ChangesView) -> None:
        """Figures are read now and then; what was done to an endpoint at once."""
        if changes.models or any(event.kind.startswith(_MINE) for event in changes.events):
            self.read()

    def failed(self, failure: Failure) -> None:
        self.refuse(failure)

    def _read_now_and_then(self) -> None:
        if self.is_current and self.shed.moment is None and not self.shed.held and self.shed.cut is None:
            self.read()

    # ---- keys --------------------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Traffic is changed of an endpoint."""
        if action in _OF_AN_ENDPOINT and self.endpoint is None:
            return False
        return super().check_action(action, parameters)

    def action_window(self) -> None:
        self.minutes = rows.WINDOWS[(rows.WINDOWS.index(self.minutes) + 1) % len(rows.WINDOWS)]
        self.say(f"the last {rows.window(self.minutes)}")
        self.read()

    def action_switch(self) -> None:
        self.ask("propose", switch_now, lambda proposal: self.shed.propose(proposal, self.read))

    def action_roll_back(self) -> None:
        if self.endpoint is not None:
            propose_rollback(self.shed, self.endpoint.model)

    def action_weights(self) -> None:
        if self.endpoint is not None:
            self._ask_and_plan(AskShares(self.endpoint))

    def action_canary(self) -> None:
        """Ends the one that runs, says that one that was rolled back was seen, or asks which version is to go up."""
        endpoint = self.endpoint
        if endpoint is None:
            return
        comparison = endpoint.view.comparison if endpoint.view is not None else None
        running = comparison is not None and comparison.status == "running"
        unseen = comparison is not None and comparison.status in _TAKEN_BACK and comparison.seen_by is None
        if comparison is not None and (running or unseen):
            change = change_of(do="stop", kind=comparison.kind, name=comparison.name)
            plan_of_traffic(self, endpoint.model, change)
        else:
            self._ask_and_plan(AskVersion(endpoint, "canary"))

    def action_shadow(self) -> None:
        """Ends the one that there is, or asks which version is to be it."""
        endpoint = self.endpoint
        if endpoint is None:
            return
        if endpoint.view is not None and endpoint.view.shadow is not None:
            plan_of_traffic(self, endpoint.model, change_of(do="lift"))
        else:
            self._ask_and_plan(AskVersion(endpoint, "shadow"))

    def action_experiment(self) -> None:
        """Ends the one that stands, or asks which one is to begin."""
        self._with_experiments(self._end_or_ask)

    def action_open_experiment(self) -> None:
        """The one that stands, else the last one that ran, else the first of the project file."""
        self._with_experiments(self._open_experiment)

    def _with_experiments(self, then: Callable[[Endpoint, list[ExperimentView]], None]) -> None:
        """Those of the endpoint under the cursor, the newest first, then those that never ran."""
        endpoint = self.endpoint
        if endpoint is not None:
            found = endpoint
            self.ask(
                "experiments",
                lambda daemon: [one for one in daemon.experiments() if one.model == found.model],
                lambda views: then(found, views),
            )

    def _end_or_ask(self, endpoint: Endpoint, views: list[ExperimentView]) -> None:
        standing = next(filter(experiments.stands, views), None)
        if standing is None:
            self._ask_and_plan(AskExperiment(endpoint, [view.name for view in views if view.defined]))
        else:
            change = change_of(do="stop", kind="experiment", name=standing.name)
            plan_of_traffic(self, endpoint.model, change)

    def _open_experiment(self, endpoint: Endpoint, views: list[ExperimentView]) -> None:
        if views:
            self.shed.open("experiment", next(filter(experiments.stands, views), views[0]).name)
        else:
            self.say(f"{endpoint.model} has no experiment: X plans to begin one", "warn")

    def _ask_and_plan(self, box: AskShares | AskVersion | AskExperiment) -> None:
        model = box.model
        self.shed.open_box(box, lambda change: None if change is None else plan_of_traffic(self, model, change))
