"""How a version ages: from its training rows to its newest window, as numbers and as sentences."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
from scipy.special import ndtri

from pipeline.judging.evidence import Evidence
from pipeline.stats.metrics import LOSS, scale
from pipeline.stats.orientation import MetricName, gain
from pipeline.watching.assessed import Assessed, plain

_LEVEL: Final = 0.95
LEAST_WINDOWS: Final = 4
"""On fewer a line says nothing."""
_WEEK: Final = 7.0


@dataclass(frozen=True, kw_only=True)
class Point:
    """A window's value of the metric, with its standard error."""

    at: datetime
    value: float
    error: float


@dataclass(frozen=True, kw_only=True)
class Trend:
    """Loss a week, turned so that above 0 it gets worse; in the metric's unit."""

    windows: int
    days: float
    """Between the first and the last."""
    weekly: float
    low: float
    high: float

    @property
    def lost(self) -> float:
        """Over all the windows, along the line."""
        return self.weekly * self.days / _WEEK


@dataclass(frozen=True, kw_only=True)
class Life:
    """Of one version, so far."""

    metric: MetricName
    age_days: float
    parts: Mapping[str, float]
    """train, validate, test → the metric, as far as the evidence has it."""
    production: float | None
    """Of all windows, weighted by 1/error²."""
    trend: Trend | None
    sentences: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = plain(asdict(self))
        return found


def trend(metric: MetricName, points: Sequence[Point]) -> Trend | None:
    """A line through the windows, weighted by 1/error² (weighted least squares): slope ± z/√Σ w(t - t̄)².

    None on fewer than four windows, or where all are of one time. Errors of 0 or none count as the largest of the
    others.
    """
    if len(points) < LEAST_WINDOWS:
        return None
    days = np.array([(one.at - points[0].at) / timedelta(days=1) for one in points])
    values, weights = np.array([one.value for one in points]), _weights(points)
    middle = float(np.average(days, weights=weights))
    spread = float((weights * np.square(days - middle)).sum())
    if not spread > 0:
        return None
    slope = float((weights * (days - middle) * values).sum()) / spread
    worse, reach = -gain(metric, slope) * _WEEK, float(ndtri((1 + _LEVEL) / 2)) / math.sqrt(spread) * _WEEK
    span = float(np.ptp(days))
    return Trend(windows=len(points), days=span, weekly=worse, low=worse - reach, high=worse + reach)


def life(evidence: Evidence, made: datetime, points: Sequence[Point], now: datetime) -> Life:
    """`points`: of the metric that is the version's objective, oldest first."""
    metric = evidence.objective
    parts = {name: facts.objective for name, facts in evidence.parts.items() if facts.objective is not None}
    if metric in evidence.metrics and evidence.metrics[metric].value is not None:
        parts["test"] = float(evidence.metrics[metric].value or 0.0)
    production = None
    if points:
        production = float(np.average([one.value for one in points], weights=_weights(points)))
    line = trend(metric, points)
    age = (now - made) / timedelta(days=1)
    return Life(
        metric=metric,
        age_days=age,
        parts=parts,
        production=production,
        trend=line,
        sentences=tuple(_sentences(evidence, parts, production, len(points), line, age)),
    )


def rot_assessed(found: Life, *, drop: float, oldest: timedelta | None = None) -> list[Assessed]:
    """The trend against `drop`, lost along the line (as `shortfall` has it), and the age against `oldest`."""
    told = [_trend_told(found, drop)]
    if oldest is not None:
        limit = oldest / timedelta(days=1)
        old = found.age_days > limit
        told.append(
            Assessed(
                kind="rot",
                subject="age",
                answer="found" if old else "clear",
                title="the version is old" if old else "the version is young enough",
                reason=f"the version is {found.age_days:.3g} days old where {limit:.3g} are allowed",
                evidence={"age_days": found.age_days, "limit_days": limit},
                suggestion="train anew: `trainshed plan` says whether the new one is better" if old else "",
            )
        )
    return told


def _trend_told(found: Life, drop: float) -> Assessed:
    line, metric = found.trend, found.metric
    if line is None:
        return Assessed(
            kind="rot",
            subject=metric,
            answer="not yet",
            title=f"{metric} over time: too little to say",
            reason=f"fewer than {LEAST_WINDOWS} windows with labels: no line can be laid through them",
            evidence={"document": found.document()},
        )
    before = found.parts.get("test", found.production or 1.0)
    lost = line.lost / (scale(metric, before) or 1.0)
    rots = line.low > 0 and lost >= drop
    reason = (
        f"{_pace(metric, line)} over {line.windows} windows in {line.days:.3g} days: {abs(lost):.3g} "
        f"{'lost' if lost >= 0 else 'gained'} where {drop:.3g} counts"
    )
    return Assessed(
        kind="rot",
        subject=metric,
        answer="found" if rots else "clear",
        title=f"{metric} falls from window to window" if rots else f"{metric} does not fall",
        reason=reason,
        evidence={**found.document(), "lost": lost, "limit": drop},
        suggestion="the world moves on: train on newer rows, and on a schedule" if rots else "",
    )


def _sentences(
    evidence: Evidence,
    parts: Mapping[str, float],
    production: float | None,
    windows: int,
    line: Trend | None,
    age: float,
) -> list[str]:
    metric = evidence.objective
    names = {"train": "on training rows", "validate": "validating", "test": "testing"}
    told = [f"{parts[name]:.4g} {word}" for name, word in names.items() if name in parts]
    if production is not None:
        told.append(f"{production:.4g} in {windows} {'window' if windows == 1 else 'windows'} of production")
    said = [f"{metric}: {', '.join(told)}"] if told else []
    gap = evidence.gap
    if gap is not None and gap.relative.value is not None:
        loss = LOSS[evidence.task]
        said.append(f"{loss} is {gap.relative.value:.1%} less on training rows than validating")
    if line is not None:
        said.append(f"{_pace(metric, line)}, by {line.windows} windows")
    return [*said, f"the version is {age:.3g} days old" if age >= 1.0 else "the version is less than a day old"]


def _pace(metric: str, line: Trend) -> str:
    """In words; of a line that may as well be level too."""
    if line.low <= 0 <= line.high:
        return f"{metric} holds: {line.weekly:+.2g} worse a week ({line.low:+.2g} to {line.high:+.2g})"
    word, ends = ("worse", (line.low, line.high)) if line.low > 0 else ("better", (-line.high, -line.low))
    return f"{metric} gets {word} by {abs(line.weekly):.2g} a week ({ends[0]:.2g} to {ends[1]:.2g})"


def _weights(points: Sequence[Point]) -> np.ndarray:
    errors = np.array([one.error if math.isfinite(one.error) and one.error > 0 else 0.0 for one in points])
    largest = float(errors.max()) or 1.0
    return np.asarray(1 / np.square(np.where(errors > 0, errors, largest)))
