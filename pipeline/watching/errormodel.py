"""How far off answers in numbers probably are, before any label has come: a model of the error.

Direct loss estimation: trees learn, on rows the version had not seen, how large its error is where, and say it of the
window's rows. As with classes, other cases are seen, and other truths of the same cases never. The trees are fitted
anew from the held-out rows each time, in a second or two: nothing that only one release of a library can read is kept.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa

from pipeline.process.threads import few_threads
from pipeline.stats.measured import Floats
from pipeline.stats.orientation import MetricName
from pipeline.versions.signature import FeatureKind
from pipeline.watching.estimate import Estimated
from pipeline.watching.heldout import HeldOut
from pipeline.watching.matrix import Vocabulary, categorical, matrix, vocabulary

LEAST_ROWS: Final = 200
_FOLDS: Final = 3
_Z: Final = 1.96


@dataclass(frozen=True, eq=False, kw_only=True)
class ErrorModel:
    """Trees for |error| and error², each with a factor that makes it right on average for rows it has not seen."""

    kinds: Mapping[str, FeatureKind]
    words: Vocabulary
    trees: Mapping[MetricName, Any]
    factors: Mapping[MetricName, float]
    spreads: Mapping[MetricName, float]
    """Variance of what is true over what is said, of rows not seen: how much a single error scatters about it."""
    reference: Mapping[MetricName, float]
    """Standard error of its mean over the held-out rows, as a share of the mean."""


def fit_error_model(rows: HeldOut, kinds: Mapping[str, FeatureKind], seed: int) -> ErrorModel | None:
    """`kinds`: of the columns. None with too few rows, or without any error."""
    errors = np.abs(rows.labels - rows.scores)
    if len(errors) < LEAST_ROWS or not errors.any():
        return None
    words = vocabulary([rows.columns], kinds)
    given = _given(rows.columns, kinds, words, rows.scores)
    said: dict[MetricName, Floats] = {"mae": errors, "rmse": np.square(errors)}
    each = {metric: _fit(given, losses, kinds, seed) for metric, losses in said.items()}
    return ErrorModel(
        kinds=kinds,
        words=words,
        trees={metric: one[0] for metric, one in each.items()},
        factors={metric: one[1] for metric, one in each.items()},
        spreads={metric: one[2] for metric, one in each.items()},
        reference={metric: _share(losses) for metric, losses in said.items()},
    )


def estimated_error(model: ErrorModel, columns: pa.Table, scores: Floats) -> dict[MetricName, Estimated]:
    """mae and rmse of a window's rows [n]. The variance of a mean of losses lᵢ is κ·Σ l̂ᵢ²/n², κ the spread.

    Of r² nothing is said: without labels nobody knows how much they vary.
    """
    if not len(scores):
        return {}
    given = _given(columns, model.kinds, model.words, scores)
    found: dict[MetricName, Estimated] = {}
    for metric, trees in model.trees.items():
        with few_threads(given.size):
            losses = np.maximum(trees.predict(given), 0.0) * model.factors[metric]
        mean = float(losses.mean())
        chance = math.sqrt(model.spreads[metric] * float(np.square(losses).sum())) / len(losses)
        found[metric] = _told(metric, mean, math.hypot(chance, mean * model.reference[metric]))
    return found


def _told(metric: MetricName, mean: float, error: float) -> Estimated:
    """Of a mean of squares, its root: the ends of its interval, and the error to first order."""
    low, high = max(0.0, mean - _Z * error), mean + _Z * error
    if metric != "rmse":
        return Estimated(value=mean, low=low, high=high, error=error)
    root = math.sqrt(mean)
    return Estimated(value=root, low=math.sqrt(low), high=math.sqrt(high), error=error / (2 * root) if root else 0.0)


def _given(columns: pa.Table, kinds: Mapping[str, FeatureKind], words: Vocabulary, scores: Floats) -> Floats:
    """What the trees see: what the version was asked, and what it answered."""
    return np.column_stack([matrix(columns, kinds, words), scores])


def _fit(given: Floats, losses: Floats, kinds: Mapping[str, FeatureKind], seed: int) -> tuple[Any, float, float]:
    # Here, for it takes a second to load and most of this folder does without it.
    from sklearn.ensemble import HistGradientBoostingRegressor
    from sklearn.model_selection import KFold, cross_val_predict

    trees = HistGradientBoostingRegressor(
        max_iter=60,
        max_leaf_nodes=15,
        min_samples_leaf=40,
        categorical_features=[*categorical(kinds).tolist(), False],
        random_state=seed,
    )
    with few_threads(given.size):
        folds = KFold(_FOLDS, shuffle=True, random_state=seed)
        unseen = np.maximum(cross_val_predict(trees, given, losses, cv=folds), 0.0)
        trees.fit(given, losses)
    factor = float(losses.mean() / unseen.mean()) if unseen.any() else 1.0
    told = unseen * factor
    spread = float(np.square(losses - told).sum() / max(float(np.square(told).sum()), 1e-300))
    return trees, factor, spread


def _share(losses: Floats) -> float:
    return float(losses.std(ddof=1) / math.sqrt(len(losses)) / losses.mean())
