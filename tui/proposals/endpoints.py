"""Starting and stopping what answers requests: pure, except for the commit that the box calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui.plan import Proposal
from tui.text import line

if TYPE_CHECKING:
    from store.wire import ModelView
    from tui.client import Client

WORD = "endpoints"
"""What is typed to stop them."""


def switch_now(daemon: Client) -> Proposal:
    """The opposite of what is wanted now. Raises Failure."""
    view = daemon.endpoints()
    return stop([one.model for one in view.endpoints]) if view.wanted else start(daemon.models())


def start(models: Sequence[ModelView]) -> Proposal:
    live = [f"{model.name} v{model.production.version}" for model in models if model.production is not None]

    def commit(daemon: Client, _: str) -> str:
        return f"{daemon.switch_endpoints(True).message}: the first answer comes in some seconds"

    return Proposal(
        title="Start endpoints",
        lines=[
            line("These answer requests, over HTTP: ", (", ".join(live), "strong"))
            if live
            else line(("No version is in production yet: what is promoted later answers then.", "warn")),
            line("[serving] of trainshed.toml says at which address: on this machine alone unless it names a host."),
            line("A supervisor, its workers and a spare are started; they go on when the daemon stops."),
            line(),
            line(("undo  ", "dim"), "S again (trainshed endpoints stop)"),
        ],
        command="trainshed endpoints start",
        commit=commit,
        undo=switch_now,
    )


def stop(models: Sequence[str]) -> Proposal:
    def commit(daemon: Client, _: str) -> str:
        return daemon.switch_endpoints(False).message

    return Proposal(
        title="Stop endpoints",
        lines=[
            line("Nothing answers any more: ", (", ".join(models) or "nothing is loaded yet", "strong")),
            line("Requests in hand are answered first; who asks after that is refused the connection."),
            line("It stays so, whatever the project file says, until endpoints are started again."),
            line(),
            line(("undo  ", "dim"), "S again (trainshed endpoints start)"),
        ],
        command="trainshed endpoints stop",
        commit=commit,
        typed=WORD,
        undo=switch_now,
    )
