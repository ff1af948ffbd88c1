"""Changing who answers which share of a model's traffic: the daemon's plan as a proposal, bound to it by its token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tui.commandline import change_command
from tui.plan import Proposal
from tui.rows.traffic import plan as lines_of

if TYPE_CHECKING:
    from store.wire import TrafficChange, TrafficPlanView
    from tui.client import Client
    from tui.screens.base import ShedScreen

_TITLES: Final = {
    "weights": "Part the traffic of",
    "canary": "Begin a canary of",
    "experiment": "Begin an experiment of",
    "stop": "End the comparison of",
    "shadow": "Begin a shadow of",
    "lift": "End the shadow of",
}
_DONE: Final = {
    "weights": "the shares of {} are in force",
    "canary": "the canary of {} has begun",
    "experiment": "the experiment of {} has begun",
    "stop": "nothing is compared of {} any more",
    "shadow": "the shadow of {} gets copies",
    "lift": "{} has no shadow any more",
}
_NEW: Final = frozenset({"weights", "canary", "experiment", "shadow"})
"""What may have a version loaded before it is so."""


def change_of(**words: Any) -> TrafficChange:
    """`TrafficChange`, which is loaded when it is needed."""
    from store.wire import TrafficChange

    return TrafficChange.model_validate(words)


def plan_of_traffic(screen: ShedScreen, model: str, change: TrafficChange) -> None:
    """Asks for the plan of a change, and shows it; the screen reads again once it is carried out."""
    screen.ask(
        "propose",
        lambda daemon: traffic_now(daemon, model, change),
        lambda proposal: screen.shed.propose(proposal, screen.read),
    )


def traffic_now(daemon: Client, model: str, change: TrafficChange) -> Proposal:
    """From the plan as the daemon makes it now. Raises Failure."""
    return proposal(model, change, daemon.traffic_plan(model, change))


def proposal(model: str, change: TrafficChange, view: TrafficPlanView) -> Proposal:
    def commit(daemon: Client, reason: str) -> str:
        from store.wire import TrafficRequest

        asked = change.model_copy(update={"reason": reason, "override": view.needs_override})
        daemon.change_traffic(model, TrafficRequest(change=asked, token=view.token))
        return f"{_DONE[change.do].format(model)}{'; Z plans to end it' if change.do in _NEW else ''}"

    return Proposal(
        title=f"{_TITLES[change.do]} {model}",
        lines=lines_of(view),
        command=change_command(model, change, override=view.needs_override),
        commit=commit,
        typed=model,
        reason="why against the gates? It is shown for ever" if view.needs_override else "why? It stays in the history",
        reason_needed=view.needs_override,
        again=lambda daemon: traffic_now(daemon, model, change),
        in_phases=change.do in _NEW,
        undo=(lambda daemon: traffic_now(daemon, model, inverse(change))) if change.do in _NEW else None,
    )


def inverse(change: TrafficChange) -> TrafficChange:
    """What ends it."""
    from store.wire import TrafficChange

    return TrafficChange(do="lift") if change.do == "shadow" else TrafficChange(do="stop")
