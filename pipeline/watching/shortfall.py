"""Is a version worse in a window than its evidence says it is? The drop with its interval, against a limit."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from scipy.special import ndtri

from pipeline.judging.evidence import Estimate
from pipeline.stats.metrics import scale
from pipeline.stats.orientation import MetricName, gain
from pipeline.watching.assessed import Answer, Assessed
from pipeline.watching.performance import Performance

LEVEL = 0.95
How = Literal["measured", "estimated"]


@dataclass(frozen=True, kw_only=True)
class Valued:
    """A metric with its standard error."""

    value: float
    error: float


@dataclass(frozen=True, kw_only=True)
class Drop:
    """How much worse than before, in the metric's unit; of one in the label's unit as a share of the value before."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Floors:
    """From when on something is said."""

    rows: int = 500
    """With a label."""
    coverage: float = 0.3


def valued(estimate: Estimate) -> Valued | None:
    """The evidence's value. Its interval need not be even, so the error is taken of its whole width."""
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return None
    width = 2 * float(ndtri((1 + estimate.level) / 2))
    return Valued(value=estimate.value, error=(estimate.high - estimate.low) / width)


def drop(metric: MetricName, before: Valued, now: Valued, level: float = LEVEL) -> Drop:
    """-gain(now - before) / scale, ± z·√(e₀² + e₁²): the rows of the two are not the same.

    `gain` turns a difference so that more is better, `scale` is `pipeline.stats.metrics.scale`.
    """
    unit = scale(metric, before.value) or 1.0
    worse = -gain(metric, now.value - before.value) / unit
    reach = float(ndtri((1 + level) / 2)) * math.hypot(before.error, now.error) / unit
    return Drop(value=worse, low=worse - reach, high=worse + reach)


def shortfall(
    metric: MetricName, before: Valued | None, found: Performance, limit: float, floors: Floors | None = None
) -> Assessed:
    """`limit`: a drop that matters. It is found when it is reached, and chance alone gives none: the interval's lower
    end lies above 0."""
    lacking = _lacking(metric, before, found, floors or Floors())
    if lacking is not None or before is None:
        return _not_yet(metric, lacking or "", found)
    value, error = found.metrics[metric]
    now = Valued(value=value, error=error)
    share = f"of {found.labelled:,} labelled rows ({found.coverage or 0:.0%} of the window)"
    return judged(metric, before, now, limit, "measured", share, found.document())


def judged(
    metric: MetricName, before: Valued, now: Valued, limit: float, how: How, of: str, evidence: dict[str, Any]
) -> Assessed:
    """A value against the evidence's; `of`: the rows that it is of, in words."""
    fell = drop(metric, before, now)
    answer: Answer = "found" if fell.value >= limit and fell.low > 0 else "clear"
    size = "as a share, " if scale(metric, 2.0) != 1.0 else ""
    reason = (
        f"{metric} {how} {now.value:.4g} {of}, {before.value:.4g} when the version was made: "
        f"{size}{_signed(fell)} where {limit:.3g} counts"
    )
    told = {"metric": metric, "how": how, "value": now.value, "error": now.error, "before": before.value}
    told |= {"before_error": before.error, "drop": fell.value, "low": fell.low, "high": fell.high, "limit": limit}
    return Assessed(
        kind="performance",
        subject=metric if how == "measured" else f"{metric} (estimated)",
        answer=answer,
        title=f"{metric} is worse than when the version was made" if answer == "found" else f"{metric} holds",
        reason=reason,
        evidence={**told, **evidence},
        suggestion=_SUGGESTIONS[how] if answer == "found" else "",
    )


_SUGGESTIONS = {
    "measured": "look at slices and at columns that drift, and train on newer rows; if it fell at once, roll back",
    "estimated": "no label says so yet: look at the columns that drift, and at the labels as they come",
}


def _signed(fell: Drop) -> str:
    worse = fell.value >= 0
    low, high = (fell.low, fell.high) if worse else (-fell.high, -fell.low)
    return f"{abs(fell.value):.3g} {'worse' if worse else 'better'} ({low:.3g} to {high:.3g})"


def _lacking(metric: MetricName, before: Valued | None, found: Performance, floors: Floors) -> str | None:
    if before is None:
        return f"the version's evidence has no {metric}"
    if not found.rows:
        return "no row was answered in this window"
    if found.labelled < floors.rows:
        return f"{found.labelled:,} of {found.rows:,} rows have a label, and at least {floors.rows:,} are needed"
    if (found.coverage or 0.0) < floors.coverage:
        return f"{found.coverage or 0:.1%} of {found.rows:,} rows have a label, and {floors.coverage:.0%} are needed"
    if metric not in found.metrics or not math.isfinite(found.metrics[metric][1]):
        return f"{metric} is not defined for these labels: all of one class, or all the same"
    return None


def _not_yet(metric: MetricName, reason: str, found: Performance) -> Assessed:
    return Assessed(
        kind="performance",
        subject=metric,
        answer="not yet",
        title=f"{metric}: too little to say",
        reason=reason,
        evidence={"metric": metric, **found.document()},
    )
