"""The phases of a version on its way into service, as lines. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.rows.words import span
from tui.text import Line, line

if TYPE_CHECKING:
    from store.wire import IntoServiceView


def phases(view: IntoServiceView) -> list[Line]:
    """Those that are over with how long they took, and the one that goes on; no time that ticks."""
    from store.wire import PHASES

    going = len(view.phases) - 1 if view.under_way else -1
    return [
        line(("… ", "live"), "      ", PHASES[one.phase])
        if number == going
        else line(("✔ ", "good"), (span(one.seconds).rjust(5), "dim"), " ", PHASES[one.phase])
        for number, one in enumerate(view.phases)
    ]
