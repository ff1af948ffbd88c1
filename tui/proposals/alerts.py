"""What would happen to alerts: pure, except for the commit that the box calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from tui.failure import ClientError, Failure
from tui.plan import Proposal
from tui.rows.words import count, stamp
from tui.text import Line, line

if TYPE_CHECKING:
    from store.wire import AlertView
    from tui.client import Client
    from tui.table.column import Frame

_NAMED = 10
"""Alerts that are named; of more it is said how many."""


def acknowledge(alerts: Sequence[AlertView], frame: Frame) -> Proposal:
    """Somebody says that they know of them: of those that are open."""
    wanted = [alert for alert in alerts if alert.state == "open"]
    one = len(alerts) == 1
    return Proposal(
        title=f"Acknowledge {_named(wanted or alerts)}",
        lines=[
            *_what(wanted or alerts, frame),
            line(),
            line(
                "It needs nobody any more, and nobody is reminded of it, unless it becomes worse."
                if one
                else "They need nobody any more, and nobody is reminded of them, unless they become worse."
            ),
            line("It is over once it is no longer found." if one else "Each is over once it is no longer found."),
        ],
        command=f"trainshed alerts ack {_numbers(wanted or alerts)}",
        commit=_each(wanted, lambda daemon, alert, note: daemon.acknowledge(alert.id, note=note), "acknowledged"),
        reason="what is known of it, or done about it",
        reason_option="--note",
        forbidden="" if wanted else f"it is {alerts[0].state} already" if one else "none of them is open",
    )


def resolve(alerts: Sequence[AlertView], frame: Frame) -> Proposal:
    """Somebody says that they are over: those that are not."""
    wanted = [alert for alert in alerts if alert.state != "resolved"]
    one = len(alerts) == 1
    return Proposal(
        title=f"Resolve {_named(wanted or alerts)}",
        lines=[
            *_what(wanted or alerts, frame),
            line(),
            line("It is over, because you say so: channels that were told of it hear that it is."),
            line("Whoever finds it again opens it again, and tells them again."),
        ],
        command=f"trainshed alerts resolve {_numbers(wanted or alerts)}",
        commit=_each(wanted, lambda daemon, alert, why: daemon.resolve_alert(alert.id, why=why), "resolved"),
        reason="why it is over",
        reason_option="--why",
        forbidden="" if wanted else f"it is over already: {alerts[0].why}" if one else "all of them are over already",
    )


def _each(
    alerts: Sequence[AlertView], do: Callable[[Client, AlertView, str], AlertView], word: str
) -> Callable[[Client, str], str]:
    def commit(daemon: Client, words: str) -> str:
        for place, alert in enumerate(alerts):
            try:
                do(daemon, alert, words)
            except ClientError as error:
                if not place:
                    raise
                done = f"{_named(alerts[:place])} {'is' if place == 1 else 'are'} {word} already"
                raise Failure(f"alert {alert.id}: {error.what}", remedy=f"{error.remedy}; {done}") from None
        return f"{_named(alerts)} {'is' if len(alerts) == 1 else 'are'} {word}"

    return commit


def _named(alerts: Sequence[AlertView]) -> str:
    return f"alert {alerts[0].id}" if len(alerts) == 1 else f"{count(len(alerts))} alerts"


def _numbers(alerts: Sequence[AlertView]) -> str:
    return " ".join(str(alert.id) for alert in alerts)


def _what(alerts: Sequence[AlertView], frame: Frame) -> list[Line]:
    if len(alerts) > 1:
        lines = [line((f"{alert.id:>4}  ", "dim"), alert.title) for alert in alerts[:_NAMED]]
        more = len(alerts) - _NAMED
        return [*lines, line((f"      and {count(more)} more", "dim"))] if more > 0 else lines
    alert = alerts[0]
    return [
        line((alert.title, "strong")),
        line(alert.reason),
        line(("since  ", "dim"), stamp(alert.opened_at, frame)),
        *([line(("do     ", "dim"), alert.suggestion)] if alert.suggestion else []),
    ]
