"""The learning rate over the steps, and the optimiser that follows it."""

from __future__ import annotations

from typing import Any

import jax
import optax

from pipeline.config.models import Training

STEPS = 2000
"""Of a training whose number of epochs is left open: enough for tables from thousands to millions of rows."""
EPOCHS = (5, 100)


def planned_epochs(training: Training, steps_per_epoch: int) -> int:
    """Epochs as configured, or as many as give `STEPS` optimiser steps."""
    if training.epochs is not None:
        return training.epochs
    return min(max(-(-STEPS // steps_per_epoch), EPOCHS[0]), EPOCHS[1])


def make_schedule(training: Training, total: int) -> optax.Schedule:
    """Step (counted from 0) → learning rate: up from near zero in the warm-up, then as `schedule` says down to zero.

    The first step of a warm-up of w steps gets 1/w of the rate, not 0: no step is without effect.
    """
    warm = round(training.warmup * total)
    rest = max(1, total - warm)
    peak = training.learning_rate
    after = {
        "constant": lambda: optax.constant_schedule(peak),
        "cosine": lambda: optax.cosine_decay_schedule(peak, rest),
        "linear": lambda: optax.linear_schedule(peak, 0.0, rest),
    }[training.schedule]()
    if warm == 0:
        return after
    return optax.join_schedules([optax.linear_schedule(peak / warm, peak, max(1, warm - 1)), after], [warm])


def make_optimizer(training: Training, schedule: optax.Schedule) -> optax.GradientTransformation:
    """Clipping by the global norm, then the update rule. Weight decay spares vectors: biases and scales."""
    rules = {
        "adamw": lambda: optax.adamw(schedule, weight_decay=training.weight_decay, mask=_matrices),
        "adam": lambda: optax.adam(schedule),
        "sgd": lambda: optax.sgd(schedule, momentum=0.9, nesterov=True),
    }
    clip = [] if training.clip is None else [optax.clip_by_global_norm(training.clip)]
    return optax.chain(*clip, rules[training.optimizer]())


def _matrices(parameters: Any) -> Any:
    return jax.tree.map(lambda leaf: leaf.ndim >= 2, parameters)
