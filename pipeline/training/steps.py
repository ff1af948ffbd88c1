"""The compiled functions of training: a chunk of optimiser steps, and a look at the validation rows.

Each is compiled ahead of time, once a run, and called with flat tuples of arrays.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np
import optax

from pipeline.models.flat import FlatModel, Leaves
from pipeline.training.batches import Chunk, Rows, pick
from pipeline.training.optimizer import Gradient, Optimizer


class Trainable(Protocol):
    """What the loop asks of a Flax NNX module."""

    def losses(self, rows: Rows) -> jax.Array:
        """float32 [b]: the training loss of each row."""
        ...

    def scores(self, numeric: Any, categorical: Any) -> jax.Array:
        """float32 [b] or [b, k]: predictions as people read them, of float32 [b, d] and int32 [b, c]."""
        ...

    def score_losses(self, scores: jax.Array, target: Any) -> jax.Array:
        """float32 [b]: the loss of predictions."""
        ...


class TrainState(NamedTuple):
    """All that an optimiser step changes, as flat tuples."""

    model: Leaves
    optimizer: Leaves
    streak: jax.Array
    """int32 []: non-finite steps in a row up to now."""


class Trace(NamedTuple):
    """What the steps of a chunk left behind, on the host: arrays of [done]."""

    loss: np.ndarray
    learning_rate: np.ndarray
    finite: np.ndarray
    """False where the step had a non-finite loss or gradient and was skipped."""
    done: int
    """Steps taken; fewer than asked only when the chunk met `nan_patience`."""
    streak: int
    """Non-finite steps in a row, at the end of the chunk."""

    @classmethod
    def read(cls, packed: np.ndarray) -> Trace:
        """From what the compiled chunk gives: float32 [3, capacity + 1], so that one transfer brings all."""
        done, streak = int(packed[0, -1]), int(packed[1, -1])
        loss, rate, finite = packed[:, :done]
        return cls(loss, rate, finite > 0, done, streak)


Step = Callable[[TrainState, Rows, jax.Array, Any], tuple[TrainState, jax.Array, jax.Array]]


def initial_state(leaves: Leaves, model: FlatModel, optimizer: Optimizer) -> TrainState:
    """The state before the first step, of arrays of its own."""
    trained, _ = model.part(leaves)
    return TrainState(snapshot(leaves), jax.jit(optimizer.init)(trained), jax.device_put(np.int32(0)))


def chunk_function(
    model: FlatModel,
    optimizer: Optimizer,
    schedule: optax.Schedule,
    *,
    capacity: int,
    nan_patience: int,
    block: int = 1,
) -> jax.stages.Wrapped:
    """(state, `Chunk`, resident rows or None) → (state, packed `Trace`); the state is donated.

    Up to `capacity` steps a call: a scan whose length is an argument. One compilation serves chunks of any length, so
    the length can follow the measured time and cannot change a result. A step with a non-finite loss or gradient
    leaves the state as it was; after `nan_patience` of them in a row the rest of the chunk is not run.

    `block`: steps between two looks at whether there are more. A GPU asks the host at each look, and stands still
    meanwhile (20 to 50 µs on an H200). Steps of a block that are too many change nothing.
    """
    step = _step_function(model, optimizer, branched=block == 1)

    def train_chunk(state: TrainState, chunk: Chunk, resident: Any) -> tuple[TrainState, jax.Array]:
        def more(carry: tuple[jax.Array, TrainState, jax.Array, jax.Array]) -> jax.Array:
            return (carry[0] < chunk.steps) & (carry[1].streak < nan_patience)

        def advance(carry: tuple[jax.Array, TrainState, jax.Array, jax.Array]) -> Any:
            index, state, losses, finites = carry
            wanted = more(carry) if block > 1 else True
            rows = pick(resident, jax.tree.map(lambda column: column[index], chunk.slots))
            state, loss, finite = step(state, rows, chunk.live[index], wanted)
            return index + wanted, state, losses.at[index].set(loss), finites.at[index].set(finite)

        def several(carry: Any) -> Any:
            return jax.lax.fori_loop(0, block, lambda _, carry: advance(carry), carry)

        start = (jnp.int32(0), state, jnp.zeros(capacity + 1), jnp.zeros(capacity + 1))
        done, state, losses, finites = jax.lax.while_loop(more, advance if block == 1 else several, start)
        rates = jax.vmap(schedule)(chunk.first + jnp.arange(capacity + 1)) * jnp.ones(capacity + 1)
        packed = jnp.stack([losses, rates, finites])
        return state, packed.at[:2, -1].set(jnp.stack([done, state.streak]).astype(jnp.float32))

    return jax.jit(train_chunk, donate_argnums=0)


def _step_function(model: FlatModel, optimizer: Optimizer, *, branched: bool) -> Step:
    """(state, rows, how many of them count, whether the step is wanted) → (state, loss, whether all was finite).

    `branched`: every step is wanted.
    """

    def step(state: TrainState, rows: Rows, live: jax.Array, wanted: Any) -> tuple[TrainState, jax.Array, jax.Array]:
        trained, others = model.part(state.model)

        def loss_of(trained: Leaves) -> tuple[jax.Array, Leaves]:
            module: Trainable = model.module(model.join(trained, others), train=True)
            losses = module.losses(rows)
            counted = jnp.where(jnp.arange(losses.shape[0]) < live, losses, 0.0)
            return jnp.sum(counted) / live, model.part(model.leaves(module))[1]

        (loss, others_after), slopes = jax.value_and_grad(loss_of, has_aux=True)(trained)
        gradient = Gradient.of(slopes)
        finite = jnp.isfinite(loss) & jnp.isfinite(gradient.norm)

        def update() -> tuple[Leaves, Leaves]:
            after, memory = optimizer.update(gradient, state.optimizer, trained)
            return model.join(after, others_after), memory

        before = (state.model, state.optimizer)
        if branched:  # and no selection of every number: on a CPU it costs next to nothing
            leaves, memory = jax.lax.cond(finite, update, lambda: before)
            return TrainState(leaves, memory, jnp.where(finite, 0, state.streak + 1)), loss, finite
        leaves, memory = jax.tree.map(partial(jnp.where, finite & wanted), update(), before)
        streak = jnp.where(wanted, jnp.where(finite, 0, state.streak + 1), state.streak)
        return TrainState(leaves, memory, streak), loss, finite

    return step


def evaluate_function(model: FlatModel) -> jax.stages.Wrapped:
    """(model leaves, rows [m, b, …], live int32 [m]) → (mean loss [], scores [m, b] or [m, b, k]), without dropout."""

    def evaluate(leaves: Leaves, rows: Rows, live: jax.Array) -> tuple[jax.Array, jax.Array]:
        module: Trainable = model.module(leaves, train=False)

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
