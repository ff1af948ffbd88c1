"""Moving an alias: the daemon's plan as a proposal. Its token, or the version it was made from, goes back with the yes.

Screens call `propose_promotion` and `propose_rollback`: they ask for the plan and show it. The rest is pure, except for
the commit that the box calls.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tui.commandline import promote_command, rollback_command
from tui.plan import Proposal
from tui.rows.plans import plan as lines_of
from tui.rows.plans import refusal

if TYPE_CHECKING:
    from store.wire import AliasEventView, PlanView
    from tui.app import ShedApp
    from tui.client import Client


def propose_promotion(shed: ShedApp, model: str, version: int, *, alias: str = "production") -> None:
    """Asks for the plan of pointing the alias at the version, and shows it."""
    shed.ask("plan", lambda daemon: promotion_now(daemon, model, version, alias), shed.propose)


def propose_rollback(shed: ShedApp, model: str, *, alias: str = "production", to: int | None = None) -> None:
    """Asks for the plan of going back, to the version before or to `to`, and shows it."""
    shed.ask("plan", lambda daemon: rollback_now(daemon, model, alias, to), shed.propose)


def promotion_now(daemon: Client, model: str, version: int, alias: str = "production") -> Proposal:
    """From the plan as the daemon makes it now. Raises Failure."""
    view = daemon.plan(model, version, alias=alias)
    return promotion(view, again=lambda daemon: promotion_now(daemon, model, version, alias))


def rollback_now(daemon: Client, model: str, alias: str = "production", to: int | None = None) -> Proposal:
    """From the plan as the daemon makes it now. Raises Failure."""
    view = daemon.rollback_plan(model, alias=alias, to=to)
    return going_back(view, again=lambda daemon: rollback_now(daemon, model, alias, to))


def promotion(view: PlanView, *, again: Callable[[Client], Proposal]) -> Proposal:
    """The alias goes to the version, if the state is still the one of the plan."""

    def commit(daemon: Client, reason: str) -> AliasEventView:
        from store.wire import PromoteRequest

        request = PromoteRequest(
            version=view.to_version,
            alias=view.alias,
            token=view.token,
            reason=reason,
            override=view.needs_override,
        )
        return daemon.promote(view.model, request)

    title = f"Promote {view.model} v{view.to_version} to {view.alias}"
    return _moving(view, title, promote_command(view, override=view.needs_override), commit, again)


def going_back(view: PlanView, *, again: Callable[[Client], Proposal]) -> Proposal:
    """The alias goes back to a version that it had pointed at, if it still points where the plan says."""

    def commit(daemon: Client, reason: str) -> AliasEventView:
        from store.wire import RollbackRequest

        request = RollbackRequest(alias=view.alias, to=view.to_version, expected=view.from_version, reason=reason)
        return daemon.rollback(view.model, request)

    title = f"Roll {view.alias} of {view.model} back to v{view.to_version}"
    return _moving(view, title, rollback_command(view), commit, again)


def _moving(
    view: PlanView,
    title: str,
    command: str,
    commit: Callable[[Client, str], AliasEventView],
    again: Callable[[Client], Proposal],
) -> Proposal:
    before = view.from_version
    return Proposal(
        title=title,
        lines=lines_of(view),
        command=command,
        commit=lambda daemon, reason: said(commit(daemon, reason)),
        typed=view.model if view.alias == "production" else None,
        reason="why against the gates? It is shown for ever" if view.needs_override else "why? It stays in the history",
        reason_needed=view.needs_override,
        forbidden=refusal(view),
        again=again,
        in_phases=view.served,
        undo=None if before is None else lambda daemon: rollback_now(daemon, view.model, view.alias, before),
    )


def said(move: AliasEventView) -> str:
    """What was done, in a sentence."""
    before = "nothing" if move.from_version is None else f"v{move.from_version}"
    against = ", against the gates" if move.overridden else ""
    undo = "; Z takes it back" if move.from_version is not None else ""
    served = move.served
    answers = ""
    if served is not None:
        processes = "1 process" if served.workers == 1 else f"{served.workers} processes"
        answers = f", answers in {processes} after {served.switched_s * 1000:.0f} ms"
    return f"{move.alias} of {move.model}: {before} → v{move.to_version}{against}{answers}{undo}"
