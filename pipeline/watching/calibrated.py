"""Are a window's forecasts still what happens? Calibration error, and calibration in the large, with intervals."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from pipeline.stats.calibration import error_by_chance, reliability, top_label
from pipeline.stats.measured import Floats
from pipeline.stats.metrics import Array
from pipeline.watching.assessed import Answer, Assessed, plain

_LEVEL: Final = 0.95


@dataclass(frozen=True, kw_only=True)
class Calibrated:
    """Of a window's labelled rows. Of many classes, of the likeliest one: was it the truth?"""

    rows: int
    error: float
    """Expected calibration error over 15 bins of equal mass (`pipeline.stats.calibration`)."""
    low: float
    high: float
    by_chance: float
    """The 95 % quantile of the error of a perfectly calibrated model on so few rows: the error is never 0, and chance
    alone lifts it."""
    forecast: float
    """Mean probability given."""
    observed: float
    """Share that happened."""
    large: float
    """Calibration in the large, observed - forecast: above 0, more happens than is said."""
    large_low: float
    large_high: float

    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = plain(asdict(self))
        return found


def calibrated(labels: Array, scores: Array, rng: np.random.Generator) -> Calibrated | None:
    """Of labelled rows: `labels` [n] class numbers, `scores` [n] P(class 1) or [n, k]. None without rows.

    With bins and signs as they are, the error is the mean of sᵢ(yᵢ - pᵢ), s the sign of the bin's observed - forecast:
    its interval is that mean's, ± z·σ/√n, cut at 0. That of `large` likewise, of yᵢ - pᵢ.
    """
    forecast, happened = top_label(np.asarray(labels, np.int32), np.asarray(scores, np.float64))
    if not len(forecast):
        return None
    table = reliability(forecast, happened)
    away = happened.astype(np.float64) - forecast
    large, reach = float(away.mean()), _reach(away)
    error, its_reach = table.error, _reach(_signed(forecast, away))
    return Calibrated(
        rows=len(forecast),
        error=error,
        low=max(0.0, error - its_reach),
        high=min(1.0, error + its_reach),
        by_chance=error_by_chance(forecast, rng),
        forecast=float(forecast.mean()),
        observed=float(happened.mean()),
        large=large,
        large_low=large - reach,
        large_high=large + reach,
    )


def calibration_assessed(
    found: Calibrated | None, *, before: float | None, limit: float = 0.05, least_rows: int = 500
) -> Assessed:
    """Against `before`, the error of the version's evidence: found when it has grown by `limit`, and what is there is
    more than chance gives."""
    if found is None or found.rows < least_rows or before is None:
        rows = 0 if found is None else found.rows
        why = f"{rows:,} labelled rows, and {least_rows:,} are needed"
        why = why if rows < least_rows else "the version's evidence has no calibration"
        return Assessed(
            kind="performance",
            subject="calibration",
            answer="not yet",
            title="calibration: too little to say",
            reason=why,
            evidence={} if found is None else found.document(),
        )
    grown = found.error - before
    answer: Answer = "found" if grown >= limit and found.error > found.by_chance and found.low > before else "clear"
    more = "more" if found.large > 0 else "less"
    reason = (
        f"calibration error {found.error:.3f} ({found.low:.3f} to {found.high:.3f}) of {found.rows:,} labelled rows, "
        f"{before:.3f} when the version was made and up to {found.by_chance:.3f} by chance; {found.observed:.1%} "
        f"happened where {found.forecast:.1%} were said: {abs(found.large):.1%} {more}"
    )
    return Assessed(
        kind="performance",
        subject="calibration",
        answer=answer,
        title="its probabilities are no longer what happens" if answer == "found" else "calibration holds",
        reason=reason,
        evidence={**found.document(), "before": before, "limit": limit},
        suggestion="train on newer rows; until then take its order, and not its probabilities, at their word"
        if answer == "found"
        else "",
    )


def _signed(forecast: Floats, away: Floats) -> Floats:
    """sᵢ(yᵢ - pᵢ), the sign that of the mean of the row's bin."""
    order = np.argsort(forecast, kind="stable")
    place = np.empty(len(forecast), np.int64)
    table = reliability(forecast, np.zeros(len(forecast), np.bool_))
    place[order] = np.repeat(np.arange(len(table.rows)), table.rows)
    sums = np.bincount(place, away)
    return np.asarray(np.sign(sums)[place] * away)


def _reach(values: npt.NDArray[Any]) -> float:
    """z·σ/√n; 1 for one row, of which nothing is known."""
    count = len(values)
    return float(ndtri((1 + _LEVEL) / 2)) * float(values.std(ddof=1)) / math.sqrt(count) if count > 1 else 1.0
