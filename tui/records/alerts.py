"""Alerts, now or as they stood."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from tui.failure import Failure
from tui.rows import alerts as rows

if TYPE_CHECKING:
    from store.wire import AlertDetail, AlertView, EventView
    from tui.client import Client

MOST: Final = 500
"""Of those that are not over, and of those that are: more are in `trainshed alerts list --after`."""
_EVENTS: Final = 100


def alerts_at(daemon: Client, moment: datetime | None) -> list[AlertView]:
    """In the order in which they want somebody. Raises Failure."""
    found = [alert for state in ("unresolved", "resolved") for alert in daemon.alerts(state=state, limit=MOST).items]
    return rows.ordered(found if moment is None else rows.at(found, moment))


def alert_at(daemon: Client, number: int, moment: datetime | None) -> tuple[AlertDetail, list[EventView]]:
    """One, and what happened to it, newest first. Raises Failure, also where it was not there yet."""
    found = daemon.alert(number)
    happened = daemon.events(at=moment, subject=f"alert {number}", limit=_EVENTS).items
    if moment is None:
        return found, happened
    if found.alert.opened_at > moment:
        raise Failure("it was not there yet", where=f"alert {number}", remedy="Esc returns to now")
    then = found.model_copy(
        update={"alert": rows.state_at(found.alert, moment), "told": rows.told_until(found.told, moment)}
    )
    return then, happened
