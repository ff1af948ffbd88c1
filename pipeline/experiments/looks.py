"""Intervals over time: what is kept of each look at an experiment, and of how many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

MOST: Final = 120
"""Looks that are kept: when there are more, every second of them goes, so the past is kept ever more coarsely."""
Look = Mapping[str, Any]


def look_of(report: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of a report (see `pipeline.experiments.report`)."""
    return {
        "at": report["at"],
        "units": sum(arm["units"] for arm in report["arms"]),
        "pending": report["pending"],
        "difference": report["difference"],
        "mismatch": report["mismatch"],
        "action": report["decision"]["action"],
    }


def with_look(looks: Sequence[Look], new: Look, most: int = MOST) -> list[Look]:
    """Oldest first. One that says what the last one said is not kept; the first and the last always are."""
    if looks and _figures(looks[-1]) == _figures(new):
        return list(looks)
    kept = [*looks, new]
    if len(kept) <= most:
        return kept
    return [*kept[:-1:2], kept[-1]]


def _figures(look: Look) -> dict[str, Any]:
    return {name: value for name, value in look.items() if name != "at"}
