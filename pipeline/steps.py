"""The compiled functions of training: a chunk of optimiser steps, and a look at the validation rows.

Each is compiled ahead of time, once a run, and called with flat tuples of arrays.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np
import optax

from pipeline.batches import Rows, pick
from pipeline.models.flat import FlatModel, Leaves


class Trainable(Protocol):
    """What the loop asks of a Flax NNX module."""

    def losses(self, rows: Rows) -> jax.Array:
        """float32 [b]: the training loss of each row."""
        ...

    def scores(self, numeric: jax.Array, categorical: jax.Array) -> jax.Array:
        """float32 [b] or [b, k]: predictions as people read them."""
        ...

    def score_losses(self, scores: jax.Array, target: jax.Array) -> jax.Array:
        """float32 [b]: the loss of predictions."""
        ...


class TrainState(NamedTuple):
    """All that an optimiser step changes, as flat tuples."""

    model: Leaves
    optimizer: Leaves
    streak: jax.Array
    """int32 []: non-finite steps in a row up to now."""


class Trace(NamedTuple):
    """What the steps of a chunk left behind; [capacity], of which the first `done` mean something."""

    loss: jax.Array
    learning_rate: jax.Array
    finite: jax.Array
    """False where the step had a non-finite loss or gradient and was skipped."""
    done: jax.Array
    """int32 []: steps taken; fewer than asked only when the chunk met `nan_patience`."""
    streak: jax.Array
    """int32 []: as in the state after the chunk."""


class Chunk(NamedTuple):
    """What one call works on."""

    first: jax.Array
    """int32 []: number of the first step."""
    steps: jax.Array
    """int32 []: how many, at most capacity."""
    slots: Any
    """Rows [capacity, batch, …], or int32 [capacity, batch] numbers of resident rows."""
    live: jax.Array
    """int32 [capacity]: rows of each batch that count."""


def initial_state(leaves: Leaves, model: FlatModel, optimizer: optax.GradientTransformation) -> TrainState:
    """The state before the first step, of arrays of its own."""
    trained, _ = model.part(leaves)
    moments = jax.jit(lambda tree: tuple(jax.tree.leaves(optimizer.init(tree))))(trained)
    return TrainState(snapshot(leaves), moments, jax.device_put(np.int32(0)))


def chunk_function(
    model: FlatModel,
    optimizer: optax.GradientTransformation,
    schedule: optax.Schedule,
    *,
    capacity: int,
    nan_patience: int,
) -> jax.stages.Wrapped:
    """(state, `Chunk`, resident rows or None) → (state, `Trace`). Up to `capacity` steps a call; the state is donated.

    It is a scan whose length is an argument: one compilation serves chunks of any length, so the length can follow
    the measured time and cannot change a result. A step with a non-finite loss, gradient or update leaves the state as it
    was; after `nan_patience` of them in a row the rest of the chunk is not run.
    """

    def step(state: TrainState, rows: Rows, live: jax.Array) -> tuple[TrainState, jax.Array, jax.Array]:
        trained, others = model.part(state.model)
        weight = (jnp.arange(jnp.shape(rows.target)[0]) < live).astype(jnp.float32)

        def loss_of(trained: Leaves) -> tuple[jax.Array, Leaves]:
            module = model.module(model.join(trained, others), train=True)
            losses = module.losses(rows)
            # where, not only weights: 0 x inf of a filling row would be NaN.
            total = jnp.sum(jnp.where(weight > 0, losses, 0.0)) / jnp.maximum(jnp.sum(weight), 1.0)
            return total, model.part(model.leaves(module))[1]

        (loss, others_after), gradient = jax.value_and_grad(loss_of, has_aux=True)(trained)
        structure = jax.tree.structure(jax.eval_shape(optimizer.init, trained))
        moments = jax.tree.unflatten(structure, state.optimizer)
        updates, moments_after = optimizer.update(gradient, moments, trained)
        norms = jnp.stack([loss, optax.tree.norm(gradient), optax.tree.norm(updates)])
        finite = jnp.all(jnp.isfinite(norms))
        trained_after = optax.apply_updates(trained, updates)
        after = (model.join(trained_after, others_after), tuple(jax.tree.leaves(moments_after)))
        kept = jax.tree.map(lambda new, old: jnp.where(finite, new, old), after, (state.model, state.optimizer))
        return TrainState(kept[0], kept[1], jnp.where(finite, 0, state.streak + 1)), loss, finite

    def train_chunk(state: TrainState, chunk: Chunk, resident: Any) -> tuple[TrainState, Trace]:
        def more(carry: tuple[jax.Array, TrainState, jax.Array, jax.Array]) -> jax.Array:
            return (carry[0] < chunk.steps) & (carry[1].streak < nan_patience)

        def advance(carry: tuple[jax.Array, TrainState, jax.Array, jax.Array]) -> Any:
            index, state, losses, finites = carry
            rows = pick(resident, jax.tree.map(lambda column: column[index], chunk.slots))
            state, loss, finite = step(state, rows, chunk.live[index])
            return index + 1, state, losses.at[index].set(loss), finites.at[index].set(finite)

        start = (jnp.int32(0), state, jnp.zeros(capacity), jnp.zeros(capacity, bool))
        done, state, losses, finites = jax.lax.while_loop(more, advance, start)
        rates = jax.vmap(schedule)(chunk.first + jnp.arange(capacity)) * jnp.ones(capacity)
        return state, Trace(losses, rates, finites, done, state.streak)

    return jax.jit(train_chunk, donate_argnums=0)


def evaluate_function(model: FlatModel) -> jax.stages.Wrapped:
    """(model leaves, rows [m, b, …], live int32 [m]) → (mean loss [], scores [m, b] or [m, b, k]), without dropout."""

    def evaluate(leaves: Leaves, rows: Rows, live: jax.Array) -> tuple[jax.Array, jax.Array]:
        module = model.module(leaves, train=False)

        def one(slot: tuple[Rows, jax.Array]) -> tuple[jax.Array, jax.Array]:
            batch, count = slot
            scores = module.scores(batch.numeric, batch.categorical)
            losses = module.score_losses(scores, batch.target)
            return jnp.sum(jnp.where(jnp.arange(losses.shape[0]) < count, losses, 0.0)), scores

        sums, scores = jax.lax.map(one, (rows, live))
        return jnp.sum(sums) / jnp.sum(live), scores

    return jax.jit(evaluate)


@jax.jit
def snapshot(leaves: Any) -> Any:
    """A copy that no later donation can take away."""
    return jax.tree.map(jnp.copy, leaves)


@jax.jit
def all_finite(leaves: Any) -> jax.Array:
    """bool []: every floating-point number in the tree is finite."""
    floats = [leaf for leaf in jax.tree.leaves(leaves) if jnp.issubdtype(leaf.dtype, jnp.floating)]
    return jnp.all(jnp.stack([jnp.all(jnp.isfinite(leaf)) for leaf in floats]))


class PaddedRows(NamedTuple):
    """Rows of one part on the device, cut into equal slots."""

    rows: Rows
    live: jax.Array


def pad_rows(rows: Rows, slots: int, size: int) -> PaddedRows:
    """Rows [n, …] → [slots, size, …] on the device, filled up with row 0, and the live count of each slot."""
    count = rows.size
    ids = np.zeros(slots * size, np.int32)
    ids[:count] = np.arange(count)
    live = np.clip(count - np.arange(slots) * size, 0, size).astype(np.int32)
    shaped = Rows(*(np.asarray(c).reshape(slots, size, *np.shape(c)[1:]) for c in rows.take(ids)))
    placed: tuple[Rows, jax.Array] = jax.device_put((shaped, live))
    return PaddedRows(placed[0], placed[1])
