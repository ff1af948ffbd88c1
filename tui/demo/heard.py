"""What clients heard, as figures of each version. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from math import ceil, sqrt
from typing import Any, Final

_NORMAL: Final = 1.959964
"""Half the width, in standard errors, of an interval of 95 %."""


@dataclass(frozen=True, kw_only=True)
class Heard:
    """One answer."""

    request: str
    version: int
    score: float
    """Probability of a late arrival."""
    seconds: float
    """From the first byte sent to the answer read, at the client."""
    late: int
    labelled: bool
    """The label has been sent: the flight has landed."""


def by_version(heard: Sequence[Heard], together: slice) -> list[dict[str, Any]]:
    """Of each version, by number: requests, share, p50_ms, p99_ms, labelled, auc.

    `together`: the answers of a time in which the versions parted the units by lot. Only these give an auc: one day's
    flights are harder to tell than another's, so figures of different days say nothing about the versions.
    """
    found = {version: [one for one in heard if one.version == version] for version in {one.version for one in heard}}
    fair = [(one.version, one.score, one.late) for one in heard[together] if one.labelled]
    return [
        {
            "version": version,
            **_figures(found[version], len(heard)),
            "auc": auc([(score, late) for by, score, late in fair if by == version]),
        }
        for version in sorted(found)
    ]


def auc(labelled: Sequence[tuple[float, int]]) -> dict[str, float] | None:
    """(score, 1 or 0) → area under the ROC curve: value, low, high (95 %), flights; None with one class only.

    By midranks, so ties count half; the standard error is that of Hanley & McNeil 1982.
    """
    hits = sum(late for _, late in labelled)
    misses = len(labelled) - hits
    if not hits or not misses:
        return None
    ranks, before = 0.0, 0
    for _, tied in groupby(sorted(labelled), key=lambda pair: pair[0]):
        kinds = [late for _, late in tied]
        ranks += sum(kinds) * (before + (len(kinds) + 1) / 2)
        before += len(kinds)
    area = (ranks - hits * (hits + 1) / 2) / (hits * misses)
    above, below = area / (2 - area) - area**2, 2 * area**2 / (1 + area) - area**2
    reach = _NORMAL * sqrt((area * (1 - area) + (hits - 1) * above + (misses - 1) * below) / (hits * misses))
    found = {"value": area, "low": max(0.0, area - reach), "high": min(1.0, area + reach), "flights": len(labelled)}
    return {name: round(value, 4) for name, value in found.items()}


def quantile(ordered: Sequence[float], part: float) -> float:
    """The smallest of them that at least this part does not exceed (nearest rank)."""
    return ordered[max(0, ceil(part * len(ordered)) - 1)]


def _figures(heard: Sequence[Heard], total: int) -> dict[str, Any]:
    times = sorted(one.seconds * 1e3 for one in heard)
    return {
        "requests": len(heard),
        "share": round(len(heard) / total, 4),
        "p50_ms": round(quantile(times, 0.5), 2),
        "p99_ms": round(quantile(times, 0.99), 2),
        "labelled": sum(one.labelled for one in heard),
    }
