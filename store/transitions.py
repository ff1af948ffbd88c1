"""Which state of a run may follow which. The only place that says so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from store.errors import Conflict
from store.words import RunState

_TRIED: Final[frozenset[RunState]] = frozenset(
    {
        "queued",  # a retry is due
        "succeeded",
        "skipped",
        "failed",
        "cancelled",
        "lost",
    }
)

MAY_FOLLOW: Final[Mapping[RunState, frozenset[RunState]]] = {
    "queued": frozenset({"starting", "cancelled", "upstream_failed"}),
    "starting": _TRIED | {"running"},
    "running": _TRIED,
    "succeeded": frozenset(),
    "skipped": frozenset(),
    # An operator may have it tried again; its checkpoints are still there.
    "failed": frozenset({"queued"}),
    "cancelled": frozenset({"queued"}),
    "lost": frozenset({"queued"}),
    "upstream_failed": frozenset({"queued"}),
}


def check_transition(run: int, before: RunState, after: RunState) -> None:
    """Raises Conflict when a run that is `before` cannot become `after`."""
    if after in MAY_FOLLOW[before]:
        return
    allowed = ", ".join(sorted(MAY_FOLLOW[before])) or "nothing: it has ended well"
    raise Conflict(
        f"run {run} is {before} and cannot become {after}",
        where=f"run {run}",
        remedy=f"see `trainshed runs show {run}`; from here it can become {allowed}",
    )
