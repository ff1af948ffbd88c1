"""The network that all servers of the comparison answer with. JAX and numpy only: each has packages of its own."""

from __future__ import annotations

import os
from collections.abc import Callable

os.environ["JAX_PLATFORMS"] = "cpu"

import jax
import numpy as np

WIDTH, HIDDEN = 32, 256


def apply(params: dict[str, jax.Array], numeric: jax.Array, categorical: jax.Array | None = None) -> jax.Array:
    """Rows [n, 32] → scores [n]."""
    hidden = jax.nn.relu(numeric @ params["a"])
    return (jax.nn.relu(hidden @ params["b"]) @ params["c"])[:, 0]


def parameters(seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    shapes = {"a": (WIDTH, HIDDEN), "b": (HIDDEN, HIDDEN), "c": (HIDDEN, 1)}
    return {name: (rng.normal(size=shape) / np.sqrt(shape[0])).astype(np.float32) for name, shape in shapes.items()}


def compiled(largest: int = 1) -> Callable[[np.ndarray], np.ndarray]:
    """Rows → scores, compiled for batches of 1, 2, 4 … `largest` rows, between which it pads."""
    params = jax.device_put(parameters(1))
    run = jax.jit(lambda rows: apply(params, rows))
    buckets = [2**power for power in range(largest.bit_length())]
    for bucket in buckets:
        run(np.zeros((bucket, WIDTH), np.float32)).block_until_ready()

    def scores(rows: np.ndarray) -> np.ndarray:
        bucket = next(bucket for bucket in buckets if bucket >= len(rows))
        padded = np.zeros((bucket, WIDTH), np.float32)
        padded[: len(rows)] = rows
        return np.asarray(run(padded))[: len(rows)]

    return scores
