"""The honest baseline: gradient-boosted trees on the same rows. A network that loses to it is refused by a gate."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from pipeline.process.threads import few_threads
from pipeline.training.batches import Rows
from pipeline.trainingset.reading import sample_ids
from pipeline.versions.signature import FIRST_WORD, Signature

MAX_ITERATIONS = 300
_MOST_ROWS = 1_000_000
_MOST_VALUES = 50_000_000
"""Rows x columns that the trees learn from, at most: they hold about 20 bytes a value. Beyond it, rows are drawn."""
_LEAST_ROWS = 100_000
PATIENCE = 10
"""Trees without improvement on the validation rows."""
_MAX_CATEGORIES = 254
"""Scikit-learn's bound, less one; rarer words share the last category."""


class Baseline:
    """A fitted baseline."""

    def __init__(self, estimator: Any, signature: Signature, rows: int) -> None:
        """Use `fit_baseline`."""
        self._estimator = estimator
        self.rows = rows
        """That it learned from."""
        self._task = signature.task

    @property
    def trees(self) -> int:
        return int(self._estimator.n_iter_)

    def scores(self, rows: Rows) -> np.ndarray:
        """Float64 as a network's: [n] P(class 1), [n, k] probabilities, or [n] values."""
        inputs = _inputs(rows)
        with few_threads(inputs.size):
            if self._task == "regression":
                return np.asarray(self._estimator.predict(inputs))
            probabilities = np.asarray(self._estimator.predict_proba(inputs))
        return probabilities[:, 1] if self._task == "binary" else probabilities


def most_rows(columns: int) -> int:
    """Rows of so many columns that the baseline learns from, at most."""
    return max(_LEAST_ROWS, min(_MOST_ROWS, _MOST_VALUES // max(columns, 1)))


def fit_baseline(train: Rows, validate: Rows, signature: Signature, *, seed: int, most: int | None = None) -> Baseline:
    """Trees with native categories and missing values, stopped early by the validation rows.

    Of more than `most` rows (None: `most_rows`) it sees so many, drawn by `seed`.
    """
    kind = HistGradientBoostingRegressor if signature.task == "regression" else HistGradientBoostingClassifier
    numbers, categories = len(signature.numeric), len(signature.categorical)
    estimator = kind(
        max_iter=MAX_ITERATIONS,
        early_stopping=True,
        n_iter_no_change=PATIENCE,
        categorical_features=[False] * numbers + [True] * categories,
        random_state=seed,
    )
    drawn = sample_ids(train.size, most_rows(numbers + categories) if most is None else most, seed)
    seen = train if drawn is None else train.take(drawn)
    inputs = _inputs(seen)
    with few_threads(inputs.size):
        estimator.fit(inputs, np.asarray(seen.target), X_val=_inputs(validate), y_val=np.asarray(validate.target))
    return Baseline(estimator, signature, seen.size)


def _inputs(rows: Rows) -> np.ndarray:
    """float32 [n, d + c]; missing and unseen categories are NaN, which the trees take for missing."""
    codes = np.asarray(rows.categorical)
    known = np.minimum(codes - FIRST_WORD, _MAX_CATEGORIES - 1).astype(np.float32)
    return np.concatenate([np.asarray(rows.numeric), np.where(codes < FIRST_WORD, np.nan, known)], axis=1)
