"""Looks at a model in training: loss and objective on the validation rows, loss on a sample of the training rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from pipeline.models.flat import FlatModel, Leaves
from pipeline.training.batches import BatchPlan, Rows
from pipeline.training.steps import evaluate_function, pad_rows
from pipeline.training.stopping import Evaluation

SLOT = 2048
"""Rows that one evaluation batch holds."""


@dataclass(frozen=True, kw_only=True)
class Objective:
    """What decides which step is best."""

    name: str
    higher_is_better: bool
    measure: Callable[[np.ndarray, np.ndarray], float]
    """(targets [n], scores [n] or [n, k]) → a number."""


class Looks:
    """Holds both sets of rows on the device, in one shape, so that one compilation serves both.

    The training sample is as large as the validation part (or as the training part, if that is smaller), drawn once
    from the seed: so the two losses of an evaluation differ by what was learned by heart, not by dropout or size.
    """

    def __init__(self, model: FlatModel, train: Rows, validate: Rows, seed: int) -> None:
        size = min(SLOT, validate.size)
        slots = -(-validate.size // size)
        sample = BatchPlan(train.size, min(train.size, validate.size), seed).ids(0)
        self._target = np.asarray(validate.target)
        self._validate = pad_rows(validate, slots, size)
        self._sample = pad_rows(train.take(sample), slots, size)
        self._function: Any = evaluate_function(model)

    def compile(self, leaves: Leaves) -> None:
        self._function = self._function.lower(leaves, self._validate.rows, self._validate.live).compile()

    def look(self, leaves: Leaves, step: int, objective: Objective) -> Evaluation:
        train_loss, _ = self._function(leaves, self._sample.rows, self._sample.live)
        validation_loss, scores = jax.device_get(self._function(leaves, self._validate.rows, self._validate.live))
        flat = np.asarray(scores).reshape(-1, *np.shape(scores)[2:])[: len(self._target)]
        return Evaluation(
            step=step,
            train_loss=float(jax.device_get(train_loss)),
            validation_loss=float(validation_loss),
            objective=objective.measure(self._target, flat) if np.isfinite(flat).all() else float("nan"),
        )
