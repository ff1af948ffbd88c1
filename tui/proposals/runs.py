"""What would happen to a run: pure, except for the commit that the box calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.plan import Proposal
from tui.rows.words import STATES
from tui.text import line

if TYPE_CHECKING:
    from store.wire import RunView
    from tui.client import Client

_OVER = frozenset({"succeeded", "skipped", "failed", "cancelled", "lost", "upstream_failed"})


def cancel_run(run: RunView) -> Proposal:
    """A run is asked to save and stop; what depends on it will not run."""

    def commit(daemon: Client, _: str) -> str:
        view = daemon.cancel(run.id)
        return f"run {run.id} is {view.state}" if view.state in _OVER else f"run {run.id} is asked to save and stop"

    return Proposal(
        title=f"Stop run {run.id}",
        lines=[
            line((run.job, "strong"), "  ", STATES[run.state]),
            line(),
            line("It is asked to save and stop; if it has not within its time of grace, it is killed."),
            line("Runs that depend on it will not run."),
            line(),
            line(
                ("undo  ", "dim"),
                f"R on the run tries it again, from its last checkpoint (trainshed runs retry {run.id})",
            ),
        ],
        command=f"trainshed runs cancel {run.id}",
        commit=commit,
        forbidden=f"run {run.id} has ended already: it is {run.state}" if run.state in _OVER else "",
    )


def retry_run(run: RunView) -> Proposal:
    """An ended run is tried again."""

    def commit(daemon: Client, _: str) -> str:
        view = daemon.retry(run.id)
        return f"run {view.id} is {view.state} again"

    good = run.state in {"succeeded", "skipped"}
    forbidden = f"run {run.id} is {run.state}: only what failed, was cancelled or was lost can be tried again"
    return Proposal(
        title=f"Try run {run.id} again",
        lines=[
            line((run.job, "strong"), "  ", STATES[run.state]),
            line(run.reason),
            line(),
            line("The same run gets one more attempt, with the same settings, from its last checkpoint if it has one."),
            line(),
            line(("undo  ", "dim"), f"K on the run stops it (trainshed runs cancel {run.id})"),
        ],
        command=f"trainshed runs retry {run.id}",
        commit=commit,
        forbidden=forbidden if good or run.state not in _OVER else "",
    )
