"""The training loop against what one would write by hand, and against Keras.

    python benchmarks/loop.py

The network and data of the notes: 32-128-128-1, 100,000 rows of 32 columns, Adam, no evaluation, no checkpoint. CPU
seconds (process time) on one pinned core, contenders interleaved, median of several rounds. One JSON object:

    rows_per_cpu_second    of each contender
    time_to_scan           our time / a hand-written chunked scan of the same length that, as ours, leaves the state
                           alone in a step whose loss or gradient is not finite: at most 1.02
    time_to_bare_scan      our time / the same without that guard, which reads each gradient once more: at most 1.02
    rate_to_jitted_loop    our rate / a hand-written jitted loop: at least 1.10 at 256 rows a batch
    rate_to_keras          our rate / Keras 3 on JAX with steps_per_execution = 50; None where Keras is not installed

Expected: about five minutes on one core.
"""

from __future__ import annotations

import importlib.util
import json
import os
import statistics
import sys
import threading
import time
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

from pipeline.config.models import Training
from pipeline.models.flat import flatten
from pipeline.training.batches import BatchPlan, Rows
from pipeline.training.looks import Objective
from pipeline.training.steps import Trace
from pipeline.training.stopping import Evaluation
from pipeline.training.train import Lesson, fit

ROWS, COLUMNS, WIDTH, CHUNK = 100_000, 32, 128, 50
ROUNDS = 7
EPOCHS = 2
RATE = 1e-3

Contender = Callable[[], float]
"""Trains for EPOCHS epochs and gives the CPU seconds of the training itself, compilation left out."""


class Network(nnx.Module):
    """32-128-128-1."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.first = nnx.Linear(COLUMNS, WIDTH, rngs=rngs)
        self.second = nnx.Linear(WIDTH, WIDTH, rngs=rngs)
        self.last = nnx.Linear(WIDTH, 1, rngs=rngs)

    def scores(self, numeric: jax.Array, categorical: jax.Array) -> jax.Array:
        inner = nnx.relu(self.second(nnx.relu(self.first(numeric))))
        return jnp.asarray(self.last(inner))[:, 0]

    def losses(self, rows: Rows) -> jax.Array:
        logits = self.scores(jnp.asarray(rows.numeric), jnp.asarray(rows.categorical))
        return jnp.asarray(optax.sigmoid_binary_cross_entropy(logits, rows.target))

    def score_losses(self, scores: jax.Array, target: jax.Array) -> jax.Array:
        return jnp.asarray(optax.sigmoid_binary_cross_entropy(scores, target))


def make_rows() -> Rows:
    rng = np.random.default_rng(0)
    numeric = rng.normal(size=(ROWS, COLUMNS)).astype(np.float32)
    target = (numeric[:, 0] * numeric[:, 1] + numeric[:, 2] > 0).astype(np.float32)
    return Rows(numeric, np.zeros((ROWS, 0), np.int32), target)


class Meter:
    """A watcher that takes CPU seconds from the end of compilation to the end of the last chunk, without the looks."""

    def __init__(self) -> None:
        self.start = self.end = 0.0

    def compiled(self, seconds: float) -> None:
        self.start = time.process_time()

    def chunk(self, first: int, trace: Trace, seconds: float) -> None:
        self.end = time.process_time()

    def evaluated(self, found: Evaluation, is_best: bool, seconds: float) -> None:
        """A look follows a chunk at once: what passed since that one's end does not count."""
        self.start += time.process_time() - self.end


def ours(rows: Rows, batch: int) -> Contender:
    """`fit` with everything it does: guard against non-finite numbers, traces, pace, padded last batch."""
    model, leaves = flatten(Network, seed=0)
    training = Training(
        epochs=EPOCHS,
        batch=batch,
        optimizer="adam",
        learning_rate=RATE,
        schedule="constant",
        warmup=0.0,
        clip=None,
        chunk=CHUNK,
        patience=None,
    )
    few = rows.take(np.arange(64))
    objective = Objective(name="none", higher_is_better=True, measure=lambda target, scores: 0.0)
    lesson = Lesson(model=model, leaves=leaves, train=rows, validate=few, training=training, objective=objective)

    def run() -> float:
        meter = Meter()
        fit(lesson, watcher=meter, clock=time.monotonic, stop=threading.Event())
        return meter.end - meter.start

    return run


def loss_and_update(optimizer: optax.GradientTransformation) -> Callable[..., Any]:
    """One step on plain JAX parameters, as a careful person writes it."""

    def logits(parameters: Any, numeric: jax.Array) -> jax.Array:
        (w1, b1), (w2, b2), (w3, b3) = parameters
        inner = jax.nn.relu(jax.nn.relu(numeric @ w1 + b1) @ w2 + b2)
        return jnp.asarray(inner @ w3 + b3)[:, 0]

    def step(state: Any, batch: Any) -> tuple[Any, jax.Array]:
        parameters, moments = state
        numeric, target = batch

        def loss(parameters: Any) -> jax.Array:
            return jnp.mean(optax.sigmoid_binary_cross_entropy(logits(parameters, numeric), target))

        value, gradient = jax.value_and_grad(loss)(parameters)
        updates, moments = optimizer.update(gradient, moments, parameters)
        return (optax.apply_updates(parameters, updates), moments), value

    return step


def fresh(optimizer: optax.GradientTransformation) -> Any:
    keys = jax.random.split(jax.random.key(0), 3)
    sizes = ((COLUMNS, WIDTH), (WIDTH, WIDTH), (WIDTH, 1))
    parameters = [
        (jax.random.normal(key, size) / np.sqrt(size[0]), jnp.zeros(size[1]))
        for key, size in zip(keys, sizes, strict=True)
    ]
    return parameters, optimizer.init(parameters)


def guarded(optimizer: optax.GradientTransformation) -> optax.GradientTransformation:
    """No update, and no change of memory, where the gradient is not finite (that of a NaN loss is not)."""

    def update(gradient: Any, state: Any, parameters: Any) -> Any:
        finite = jnp.isfinite(optax.tree.norm(gradient))
        updates, after = optimizer.update(gradient, state, parameters)
        updates = jax.tree.map(lambda leaf: jnp.where(finite, leaf, 0.0), updates)
        return updates, jax.tree.map(lambda new, old: jnp.where(finite, new, old), after, state)

    return optax.GradientTransformation(optimizer.init, update)


def hand_scan(rows: Rows, batch: int, optimizer: optax.GradientTransformation) -> Contender:
    """A scan of 50 steps, rows gathered on the host, losses read one chunk behind; ragged rows dropped."""
    step = loss_and_update(optimizer)
    chunk = jax.jit(lambda state, batches: jax.lax.scan(step, state, batches), donate_argnums=0)
    steps = ROWS // batch // CHUNK * CHUNK
    numeric, target = np.asarray(rows.numeric), np.asarray(rows.target)

    def gather(order: np.ndarray, first: int) -> Any:
        ids = order[first * batch : (first + CHUNK) * batch]
        return numeric[ids].reshape(CHUNK, batch, COLUMNS), target[ids].reshape(CHUNK, batch)

    def run() -> float:
        state = fresh(optimizer)
        order = np.random.default_rng(0).permutation(ROWS)
        state, losses = chunk(state, gather(order, 0))
        jax.block_until_ready(losses)  # type: ignore[no-untyped-call]
        start, pending, read = time.process_time(), losses, []
        for epoch in range(EPOCHS):
            order = np.random.default_rng(epoch).permutation(ROWS)
            for first in range(0, steps, CHUNK):
                state, losses = chunk(state, gather(order, first))
                losses.copy_to_host_async()
                read.append(np.asarray(pending))
                pending = losses
        read.append(np.asarray(pending))
        spent = time.process_time() - start
        # As if the rows that were dropped had been trained too.
        return spent * ROWS / (steps * batch)

    return run


def hand_loop(rows: Rows, batch: int) -> Contender:
    """A jitted step called from Python, rows gathered on the host; losses stay on the device until the end."""
    optimizer = optax.adam(RATE)
    step = jax.jit(loss_and_update(optimizer), donate_argnums=0)
    steps = ROWS // batch
    numeric, target = np.asarray(rows.numeric), np.asarray(rows.target)

    def run() -> float:
        state = fresh(optimizer)
        state, loss = step(state, (numeric[:batch], target[:batch]))
        jax.block_until_ready(loss)  # type: ignore[no-untyped-call]
        start, losses = time.process_time(), []
        for epoch in range(EPOCHS):
            order = np.random.default_rng(epoch).permutation(ROWS)
            for index in range(steps):
                ids = order[index * batch : (index + 1) * batch]
                state, loss = step(state, (numeric[ids], target[ids]))
                losses.append(loss)
        jax.block_until_ready(losses)  # type: ignore[no-untyped-call]
        return (time.process_time() - start) * ROWS / (steps * batch)

    return run


def keras_fit(rows: Rows, batch: int) -> Contender | None:
    """Keras 3 on JAX, 50 steps an execution, on a multiple of the batch so that it does not compile twice."""
    if importlib.util.find_spec("keras") is None:
        return None
    import keras

    hidden = [keras.layers.Dense(WIDTH, activation="relu") for _ in range(2)]
    model = keras.Sequential([keras.layers.Input((COLUMNS,)), *hidden, keras.layers.Dense(1)])
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(RATE), loss=loss, steps_per_execution=CHUNK)
    usable = ROWS // batch // CHUNK * CHUNK * batch
    numeric, target = np.asarray(rows.numeric)[:usable], np.asarray(rows.target)[:usable]
    train = partial(model.fit, numeric, target, batch_size=batch, shuffle=True, verbose=0)
    train(epochs=1)

    def run() -> float:
        start = time.process_time()
        train(epochs=EPOCHS)
        return (time.process_time() - start) * ROWS / usable

    return run


def compare(batch: int) -> dict[str, Any]:
    """Rates and ratios at one batch size, contenders in turn within each round."""
    rows = make_rows()
    built = {
        "ours": ours(rows, batch),
        "hand_scan": hand_scan(rows, batch, guarded(optax.adam(RATE))),
        "hand_bare_scan": hand_scan(rows, batch, optax.adam(RATE)),
        "hand_loop": hand_loop(rows, batch),
        "keras": keras_fit(rows, batch),
    }
    contenders = {name: run for name, run in built.items() if run is not None}
    for run in contenders.values():
        run()
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(ROUNDS):
        for name, run in contenders.items():
            times[name].append(run())
    middle = {name: statistics.median(values) for name, values in times.items()}
    steps = EPOCHS * BatchPlan(ROWS, batch, 0).steps_per_epoch
    return {
        "rows_per_cpu_second": {name: round(EPOCHS * ROWS / seconds) for name, seconds in middle.items()},
        "ours_us_per_step": round(1e6 * middle["ours"] / steps, 1),
        "time_to_scan": ratio(times["ours"], times["hand_scan"]),
        "time_to_bare_scan": ratio(times["ours"], times["hand_bare_scan"]),
        "rate_to_jitted_loop": ratio(times["hand_loop"], times["ours"]),
        "rate_to_keras": ratio(times["keras"], times["ours"]) if "keras" in times else None,
    }


def ratio(over: list[float], under: list[float]) -> float:
    """Median of the rounds' ratios: what disturbs a round disturbs both."""
    return round(statistics.median(a / b for a, b in zip(over, under, strict=True)), 3)


def settle_down() -> None:
    """One core, one platform; before a backend exists, whose threads inherit the core."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    os.environ["KERAS_BACKEND"] = "jax"
    jax.config.update("jax_platforms", "cpu")  # type: ignore[no-untyped-call]
    warnings.simplefilter("ignore")


def main() -> None:
    settle_down()
    found = {f"batch_{batch}": compare(batch) for batch in (256, 1024)}
    limits = {"time_to_scan": 1.02, "time_to_bare_scan": 1.02, "rate_to_jitted_loop": 1.10}
    if importlib.util.find_spec("keras") is None:
        print("keras is not installed: `uv pip install -r requirements-bench.lock` brings it", file=sys.stderr)
    print(json.dumps({"benchmark": "loop", "chunk": CHUNK, "limits": limits, **found}))


if __name__ == "__main__":
    main()
