"""Saying where a run went bad: which steps, which rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import jax
import numpy as np

from pipeline.models.flat import FlatModel, Leaves
from pipeline.training.batches import Rows
from store.errors import Diverged

SHOWN = 10


def explain(
    model: FlatModel,
    leaves: Leaves,
    batch: Rows,
    ids: np.ndarray,
    step: int,
    streak: int,
    name_rows: Callable[[np.ndarray], Sequence[str]] | None,
) -> Diverged:
    """The error for `streak` bad steps up to `step` (counted from 1), whose rows were `batch`, numbered `ids`.

    `leaves`: the last good state. A row whose loss under it is not finite is bad by itself, unless all are.
    """
    losses = np.asarray(jax.device_get(_losses(model, leaves, batch)))
    own = ids[~np.isfinite(losses)]
    names = name_rows or (lambda numbers: [f"row {n}" for n in numbers])
    if 0 < len(own) < len(ids):
        which = f"{len(own)} of its {len(ids)} rows are bad by themselves: {_list(names(own[:SHOWN]), len(own))}"
        remedy = "look at these rows for infinities and absurd values, and add a check that keeps such rows out"
    else:
        which = f"no single row is to blame; its first rows: {_list(names(ids[:SHOWN]), len(ids))}"
        remedy = "lower training.learning_rate, or set training.clip"
    first = step - streak + 1
    steps = f"steps {first} to {step}" if streak > 1 else f"step {step}"
    return Diverged(
        f"loss or gradient was not finite in {steps}; of step {step}, {which}", where="training", remedy=remedy
    )


def _losses(model: FlatModel, leaves: Leaves, batch: Rows) -> jax.Array:
    losses: jax.Array = jax.jit(lambda leaves, rows: model.module(leaves, train=False).losses(rows))(
        leaves, jax.device_put(batch)
    )
    return losses


def _list(names: Sequence[str], total: int) -> str:
    more = f" and {total - len(names)} more" if total > len(names) else ""
    return ", ".join(names) + more
