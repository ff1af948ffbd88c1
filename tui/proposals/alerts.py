"""What would happen to an alert: pure, except for the commit that the box calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.plan import Proposal
from tui.rows.words import stamp
from tui.text import line

if TYPE_CHECKING:
    from store.wire import AlertView
    from tui.client import Client
    from tui.table.column import Frame


def acknowledge(alert: AlertView, frame: Frame) -> Proposal:
    """Somebody says that they know of it."""

    def commit(daemon: Client, note: str) -> str:
        return f"alert {daemon.acknowledge(alert.id, note=note).id} is acknowledged"

    return Proposal(
        title=f"Acknowledge alert {alert.id}",
        lines=[
            line((alert.title, "strong")),
            line(alert.reason),
            line(("since  ", "dim"), stamp(alert.opened_at, frame)),
            *([line(("do     ", "dim"), alert.suggestion)] if alert.suggestion else []),
            line(),
            line("It needs nobody any more, and nobody is reminded of it, unless it becomes worse."),
            line("It is over once it is no longer found."),
        ],
        command=f"trainshed alerts ack {alert.id}",
        commit=commit,
        reason="what is known of it, or done about it",
        forbidden="" if alert.state == "open" else f"it is {alert.state} already",
    )
