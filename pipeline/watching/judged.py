"""What a report says of its columns: measures of each window against its reference, and the verdict."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any, Final

from pipeline.stats.discovery import corrected
from pipeline.watching.logged import OUTPUT
from pipeline.watching.measures import Measures, all_measures
from pipeline.watching.numbers import NumberProfile
from pipeline.watching.profile import Profile, Profiles, together
from pipeline.watching.verdict import Finding, Rules, Verdict, decided

Compared = tuple[Profiles, Profiles]
"""What a window is held against, and the window."""
_FINDING: Final = tuple(one.name for one in fields(Finding))


def judged(windows: Sequence[Compared], rules: Rules, output: str) -> list[dict[str, Any]]:
    """What `store.wire.DriftColumn` tells of each, drifted ones first. `windows`: at least one, oldest first.

    What is of all windows together is against the newest one's reference.
    """
    before = windows[-1][0]
    each = [all_measures(against, now) for against, now in windows]
    whole = {name: all_together([now[name] for _, now in windows]) for name in before}
    overall = all_measures(before, whole, of_cells=False) if len(windows) > 1 else each[0]
    chances = dict(zip(overall, _corrected([one.chi_square_p for one in overall.values()]), strict=True))
    found = []
    for name, reference_profile in before.items():
        verdict = decided([one[name] for one in each], rules)
        found.append(
            {
                "name": shown_as(name, output),
                "subject": "prediction" if name == OUTPUT else "feature",
                "kind": "numeric" if isinstance(reference_profile, NumberProfile) else "categorical",
                **_told(verdict),
                **_notes(overall[name], chances[name]),
                "mean": mean_of(whole[name]),
                "reference_mean": mean_of(reference_profile),
            }
        )
    return in_order(found)


def in_order(columns: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Drifted ones first."""
    order = {"drifted": 0, "steady": 1, "not yet": 2}
    return sorted(columns, key=lambda one: order[one["state"]])


def whole_verdict(columns: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """State and reason of all columns together."""
    drifted = [one["name"] for one in columns if one["state"] == "drifted"]
    if drifted:
        return {
            "state": "drifted",
            "reason": f"{len(drifted)} of {len(columns)} columns have drifted: {', '.join(drifted)}",
        }
    unknown = sum(one["state"] == "not yet" for one in columns)
    if unknown == len(columns):
        return {"state": "not yet", "reason": columns[0]["reason"]}
    said = f"none of {len(columns) - unknown} columns has drifted"
    return {"state": "steady", "reason": said + (f"; of {unknown} nothing can be said" if unknown else "")}


def all_together(parts: Sequence[Profile]) -> Profile:
    """Of the rows of all, of which there is at least one."""
    first, *rest = parts
    for one in rest:
        first = together(first, one)
    return first


def shown_as(name: str, output: str) -> str:
    """A column as people call it: the predictions by the name of their output."""
    return output if name == OUTPUT else name


def mean_of(one: Profile) -> float | None:
    return one.mean if isinstance(one, NumberProfile) and math.isfinite(one.mean) else None


def _told(verdict: Verdict) -> dict[str, Any]:
    said = [{name: getattr(one, name) for name in _FINDING} for one in verdict.findings]
    return {"state": verdict.answer, "reason": verdict.reason, "measures": said}


def _notes(overall: Measures, chance: float | None) -> dict[str, Any]:
    names = ("jensen_shannon", "hellinger", "missing", "reference_missing", "new", "reference_new", "examples")
    return {**{name: getattr(overall, name) for name in names}, "chi_square_p": chance}


def _corrected(chances: Sequence[float | None]) -> Iterator[float | None]:
    """For many columns at once."""
    found = iter(corrected([one for one in chances if one is not None]).tolist())
    return (None if one is None else next(found) for one in chances)
