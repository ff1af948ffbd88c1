"""Who counts, and with what: first exposures, and outcomes of those whose time to bring one is over.

An outcome comes late: within a window after the exposure. A unit counts once that window has closed, by the same rule
in all arms. Counting sooner would take the fast outcomes for all, and the arms may differ in how fast they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.stats.measured import Floats

Values = npt.NDArray[Any]
Times = npt.NDArray[np.datetime64]
"""UTC, in microseconds."""


@dataclass(frozen=True)
class Exposed:
    """Units with the arm and time of their first exposure, in the order of the ids. Arrays [n]."""

    unit: Values
    arm: Values
    at: Times
    crossed: int
    """Units that were left out because they met two arms: their ids are shared, or somebody moved them."""

    def of_arm(self, arm: object) -> npt.NDArray[np.bool_]:
        return np.asarray(self.arm == arm)


def first_exposures(unit: Values, arm: Values, at: Times) -> Exposed:
    """One row a unit from an exposure log of any order, with repetitions. [m] each → [n]."""
    order = np.lexsort((at, unit))
    unit, arm, at = unit[order], arm[order], at[order]
    starts = np.flatnonzero(np.r_[True, unit[1:] != unit[:-1]][: len(unit)])
    first = np.repeat(starts, np.diff(np.r_[starts, len(unit)]))
    crossed = np.unique(first[arm != arm[first]])
    kept = np.setdiff1d(starts, crossed, assume_unique=True)
    return Exposed(unit[kept], arm[kept], at[kept], len(crossed))


def matured(exposed: Exposed, window: timedelta, now: datetime) -> npt.NDArray[np.bool_]:
    """Whose window has closed [n]; the others are pending."""
    return np.asarray(exposed.at + np.timedelta64(window) <= np.datetime64(now.astimezone(UTC).replace(tzinfo=None)))


def totals(exposed: Exposed, unit: Values, at: Times, values: Values, window: timedelta) -> Floats:
    """What each unit [n] brought within [exposure, exposure + window): the sum of its outcomes [m], 0 without any.

    Outcomes of strangers, from before the exposure and from after the window belong to nobody.
    """
    owner, inside = _owners(exposed, unit, at, window)
    counted = np.asarray(values, dtype=np.float64)[inside]
    return np.bincount(owner[inside], counted, minlength=len(exposed.unit)).astype(np.float64)


def restated(exposed: Exposed, unit: Values, at: Times, arrived: Times, window: timedelta) -> npt.NDArray[np.bool_]:
    """Outcomes [m] that count but arrived when their unit had been counted without them: what was said then changes."""
    owner, inside = _owners(exposed, unit, at, window)
    return inside & (arrived >= exposed.at[owner] + np.timedelta64(window)) if len(exposed.unit) else inside


def _owners(
    exposed: Exposed, unit: Values, at: Times, window: timedelta
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.bool_]]:
    """Each outcome's place in `exposed`, and whether it is that unit's and within its window."""
    if not len(exposed.unit):
        return np.zeros(len(unit), dtype=np.intp), np.zeros(len(unit), dtype=np.bool_)
    owner = np.minimum(np.searchsorted(exposed.unit, unit), len(exposed.unit) - 1)
    since = exposed.at[owner]
    return owner, (exposed.unit[owner] == unit) & (at >= since) & (at < since + np.timedelta64(window))
