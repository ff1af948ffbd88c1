"""Answers of a finished network for many rows, in padded batches: one compilation, whatever the number of rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from pipeline.models.flat import FlatModel, Leaves
from pipeline.training.batches import Rows

BATCH = 4096


def member_outputs(model: FlatModel, leaves: Leaves, rows: Rows) -> np.ndarray:
    """float32 [n, members, k]: what each member says before head and temperature."""
    return _in_batches(jax.jit(lambda leaves, n, c: model.module(leaves, train=False).trunk(n, c)), leaves, rows)


class Predictor:
    """Scores by the very function that a bundle exports."""

    def __init__(self, apply: Callable[..., jax.Array], params: dict[str, Any]) -> None:
        self._apply = jax.jit(apply)
        self._params = params

    def scores(self, rows: Rows) -> np.ndarray:
        """float32 [n] P(class 1) or values, or [n, k] probabilities."""
        return _in_batches(self._apply, self._params, rows)


def _in_batches(function: Callable[..., jax.Array], params: Any, rows: Rows) -> np.ndarray:
    numeric, categorical = np.asarray(rows.numeric), np.asarray(rows.categorical)
    size = min(BATCH, rows.size)
    pieces = []
    for start in range(0, rows.size, size):
        here = min(size, rows.size - start)
        padding = ((0, size - here), (0, 0))
        batch = (np.pad(numeric[start : start + here], padding), np.pad(categorical[start : start + here], padding))
        pieces.append(np.asarray(function(params, *batch))[:here])
    return np.concatenate(pieces)
