"""Can a model tell the window's rows from the reference's? It sees what no column shows: how they go together."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from pipeline.stats.auc import auc
from pipeline.stats.measured import Floats

MOST: Final = 5_000
"""Rows of each side; more are drawn from."""
_FOLDS: Final = 5
_LEAST: Final = 2 * _FOLDS
_MOST_WORDS: Final = 254
"""Of a categorical column: more numbers than the trees have bins are one."""


def domain_auc(
    reference: Floats, current: Floats, categorical: npt.NDArray[np.bool_], rng: np.random.Generator
) -> float | None:
    """AUC of a classifier of reference against current: 0.5 when they cannot be told apart, 1 when always.

    `reference` [n, d] and `current` [m, d] numbers with NaN for missing; of `categorical` [d] columns the numbers of
    words from 0. Gradient-boosted trees, five folds, each row scored by trees that did not see it (the classifier
    two-sample test of Lopez-Paz & Oquab 2017). None with fewer than 10 rows on a side. By chance it deviates from 0.5
    by about √((n + m + 1)/(12nm)).
    """
    # Here, for it takes a second to load and most of this folder does without it.
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    sides = [_drawn(one, rng) for one in (reference, current)]
    if min(map(len, sides)) < _LEAST:
        return None
    rows = np.vstack(sides)
    rows[:, categorical] = np.minimum(rows[:, categorical], _MOST_WORDS)
    truth = np.repeat([0, 1], [len(one) for one in sides])
    seed = int(rng.integers(2**31))
    trees = HistGradientBoostingClassifier(
        max_iter=50, max_leaf_nodes=15, categorical_features=categorical, random_state=seed
    )
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=seed)
    scores = cross_val_predict(trees, rows, truth, cv=folds, method="predict_proba")[:, 1]
    return auc(truth == 1, scores)


def _drawn(rows: Floats, rng: np.random.Generator) -> Floats:
    return rows[rng.permutation(len(rows))[:MOST]].astype(np.float64)
