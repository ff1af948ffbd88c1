"""A version's metrics in a window without any label, from what it was like on rows it had not seen. With intervals.

Of classes by calibrated scores (`pipeline.watching.cbpe`), of numbers by a model of its error
(`pipeline.watching.errormodel`). Other cases are seen, other truths of the same cases never.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import numpy as np
from scipy.special import ndtri

from pipeline.stats.measured import Floats
from pipeline.stats.metrics import Array, Task, measure, probabilities
from pipeline.stats.orientation import MetricName
from pipeline.watching.assessed import Assessed, plain
from pipeline.watching.cbpe import Calibration, calibrate, expected
from pipeline.watching.shortfall import Valued, judged

METRICS: Final[tuple[MetricName, ...]] = ("auc", "log_loss", "accuracy", "brier")
LEAST_ROWS: Final = 500
_LEVEL: Final = 0.95
_SMALLEST: Final = 1e-7
"""As in `pipeline.stats.metrics`."""


@dataclass(frozen=True, kw_only=True)
class Estimated:
    """What the metric of the window's rows will probably be, once all have a label."""

    value: float
    low: float
    high: float
    """95 %, of both kinds of chance: how these rows turn out, and that the reference has only so many."""
    error: float

    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = plain(asdict(self))
        return found


@dataclass(frozen=True, eq=False, kw_only=True)
class Estimator:
    """What was learned from held-out rows, as numbers."""

    task: Task
    maps: tuple[Calibration, ...]
    """One for two classes, one for each of many."""
    rows: int
    """It was learned from."""
    errors: Mapping[MetricName, float] = field(default_factory=dict)
    """Standard error of each metric on those rows: no estimate from them is better known."""

    def document(self) -> dict[str, Any]:
        maps = [one.document() for one in self.maps]
        return {"task": self.task, "maps": maps, "rows": self.rows, "errors": plain(dict(self.errors))}

    @classmethod
    def from_document(cls, said: Mapping[str, Any]) -> Estimator:
        errors = {name: math.nan if error is None else error for name, error in said["errors"].items()}
        maps = tuple(map(Calibration.from_document, said["maps"]))
        return cls(task=said["task"], maps=maps, rows=said["rows"], errors=errors)


def fit_estimator(task: Task, labels: Array, scores: Floats) -> Estimator:
    """From held-out rows: `labels` [n] class numbers, `scores` [n] or [n, k]. Raises ValueError for a regression."""
    if task == "regression":
        raise ValueError("calibrated scores estimate classes; of a regression see pipeline.watching.errormodel")
    wide = {1: scores} if scores.ndim == 1 else dict(enumerate(scores.T))
    maps = tuple(calibrate(given, labels == place) for place, given in wide.items())
    errors = {name: measure(name, labels, scores).standard_error for name in METRICS} if len(labels) else {}
    return Estimator(task=task, maps=maps, rows=len(labels), errors=errors)


def estimated(estimator: Estimator, scores: Floats) -> dict[MetricName, Estimated]:
    """`scores` [n] or [n, k] of the window. Metrics that nothing can be said of are left out.

    A metric that is a mean over rows: Σₖ cᵢₖ·lᵢₖ, the loss of class k by its chance, the mean of it over rows; its
    variance Σᵢ (Σₖ cᵢₖ·lᵢₖ² - (Σₖ cᵢₖ·lᵢₖ)²)/n². The AUC: see `cbpe.expected`; of many classes the mean over
    classes, its error the mean of theirs, which is no less than the true one.
    """
    if not len(scores):
        return {}
    chances = _chances(estimator, scores)
    found = {"auc": _auc(chances, scores)} | {name: _mean(name, chances, scores) for name in METRICS if name != "auc"}
    return {name: _told(one, estimator.errors.get(name, math.nan)) for name in METRICS if (one := found[name])}


def estimate_assessed(
    metric: MetricName,
    before: Valued | None,
    found: Mapping[MetricName, Estimated],
    rows: int,
    limit: float,
    least_rows: int = LEAST_ROWS,
) -> Assessed:
    """Against the evidence's value, as `shortfall` does with labels."""
    if before is None or metric not in found or rows < least_rows:
        return Assessed(
            kind="performance",
            subject=f"{metric} (estimated)",
            answer="not yet",
            title=f"{metric} without labels: too little to say",
            reason=_lacking(metric, before, rows, least_rows),
            evidence={"metric": metric, "rows": rows},
        )
    one = found[metric]
    now = Valued(value=one.value, error=one.error)
    return judged(metric, before, now, limit, "estimated", f"of {rows:,} rows without labels", {"rows": rows})


def _lacking(metric: MetricName, before: Valued | None, rows: int, least_rows: int) -> str:
    if rows < least_rows:
        return f"{rows:,} rows were answered in this window, and at least {least_rows:,} are needed"
    if before is None:
        return f"the version's evidence has no {metric}"
    return f"{metric} cannot be estimated without labels"


def _chances(estimator: Estimator, scores: Floats) -> Floats:
    """[n, k], rows that add up to 1."""
    if scores.ndim == 1:
        return probabilities(estimator.maps[0](scores))
    raw = np.stack([one(scores[:, place]) for place, one in enumerate(estimator.maps)], axis=1)
    total = raw.sum(axis=1, keepdims=True)
    return np.where(total > 0, raw / np.where(total > 0, total, 1.0), 1.0 / raw.shape[1])


def _auc(chances: Floats, scores: Floats) -> tuple[float, float] | None:
    wide = probabilities(scores)
    places: Sequence[int] = [1] if scores.ndim == 1 else range(wide.shape[1])
    each = [expected(chances[:, place], wide[:, place]) for place in places]
    areas, errors = [one.auc for one in each], [one.auc_error for one in each]
    if None in areas or None in errors:
        return None
    return float(np.mean(np.array(areas, np.float64))), float(np.mean(np.array(errors, np.float64)))


def _mean(metric: str, chances: Floats, scores: Floats) -> tuple[float, float]:
    losses = _LOSSES[metric](probabilities(scores))
    mean = (chances * losses).sum(axis=1)
    spread = (chances * np.square(losses)).sum(axis=1) - np.square(mean)
    return float(mean.mean()), math.sqrt(max(0.0, float(spread.sum()))) / len(scores)


def _log_loss(given: Floats) -> Floats:
    """Of each class, if it is the truth, [n, k]."""
    return -np.log(np.clip(given, _SMALLEST, 1.0))


def _correct(given: Floats) -> Floats:
    chosen = np.asarray(given[:, 1] >= 0.5, np.int64) if given.shape[1] == 2 else given.argmax(axis=1)
    return np.asarray(chosen[:, None] == np.arange(given.shape[1]), np.float64)


def _brier(given: Floats) -> Floats:
    """Σₖ pₖ² - 2pⱼ + 1 where j is the truth; of two classes (p - y)², half of it."""
    whole = np.square(given).sum(axis=1, keepdims=True) - 2 * given + 1
    return np.asarray(whole / 2 if given.shape[1] == 2 else whole)


_LOSSES: Final = {"log_loss": _log_loss, "accuracy": _correct, "brier": _brier}


def _told(one: tuple[float, float], reference: float) -> Estimated:
    value, chance = one
    error = math.hypot(chance, reference) if math.isfinite(reference) else chance
    reach = float(ndtri((1 + _LEVEL) / 2)) * error
    return Estimated(value=value, low=value - reach, high=value + reach, error=error)
