"""The honest baseline: gradient-boosted trees on the same rows. A network that loses to it is refused by a gate."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from pipeline.process.threads import few_threads
from pipeline.training.batches import Rows
from pipeline.versions.signature import FIRST_WORD, Signature

MAX_ITERATIONS = 300
PATIENCE = 10
"""Trees without improvement on the validation rows."""
_MAX_CATEGORIES = 254
"""Scikit-learn's bound, less one; rarer words share the last category."""


class Baseline:
    """A fitted baseline."""

    def __init__(self, estimator: Any, signature: Signature) -> None:
        """Use `fit_baseline`."""
        self._estimator = estimator
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


def fit_baseline(train: Rows, validate: Rows, signature: Signature, *, seed: int) -> Baseline:
    """Trees with native categories and missing values, stopped early by the validation rows."""
    kind = HistGradientBoostingRegressor if signature.task == "regression" else HistGradientBoostingClassifier
    numbers, categories = len(signature.numeric), len(signature.categorical)
    estimator = kind(
        max_iter=MAX_ITERATIONS,
        early_stopping=True,
        n_iter_no_change=PATIENCE,
        categorical_features=[False] * numbers + [True] * categories,
        random_state=seed,
    )
    inputs = _inputs(train)
    with few_threads(inputs.size):
        estimator.fit(inputs, train.target, X_val=_inputs(validate), y_val=np.asarray(validate.target))
    return Baseline(estimator, signature)


def _inputs(rows: Rows) -> np.ndarray:
    """float32 [n, d + c]; missing and unseen categories are NaN, which the trees take for missing."""
    codes = np.asarray(rows.categorical)
    known = np.minimum(codes - FIRST_WORD, _MAX_CATEGORIES - 1).astype(np.float32)
    return np.concatenate([np.asarray(rows.numeric), np.where(codes < FIRST_WORD, np.nan, known)], axis=1)
