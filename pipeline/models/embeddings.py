"""How raw inputs enter a network: numbers, categories, and what is missing or new.

Everything here is inside the exported graph, so serving cannot prepare a row otherwise than training did.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from pipeline.versions.signature import FIRST_WORD, UNSEEN

FORGET_RATE = 0.01
"""Share of known categories that training takes for unseen ones, so that the bucket learns what to say of them."""


class Statistic(nnx.Variable[jax.Array]):
    """A number found in the training rows, not by gradients; part of the model all the same."""


@dataclass(frozen=True)
class Preparation:
    """What the training rows say about the inputs."""

    edges: np.ndarray
    """float32 [d, bins + 1], quantiles of each numeric input, ascending; equal neighbours make an empty bin."""
    mean: np.ndarray
    """float32 [d]."""
    deviation: np.ndarray
    """float32 [d], positive."""
    cardinalities: tuple[int, ...]
    """Codes of each categorical input, the two special ones included."""

    @property
    def inputs(self) -> int:
        return len(self.mean) + len(self.cardinalities)


class PiecewiseLinear(nnx.Module):
    """Numbers → how far each went through each bin of its quantiles, and whether it is missing.

    Gorishniy et al. 2022, "On Embeddings for Numerical Features in Tabular Deep Learning", equation 1. Values beyond
    the training range stay at the ends: a network should not extrapolate on a straight line for ever.
    """

    def __init__(self, edges: np.ndarray) -> None:
        span = np.diff(edges, axis=1)
        self.low = Statistic(jnp.asarray(edges[:, :-1]))
        self.slope = Statistic(jnp.asarray(np.where(span > 0, 1.0 / np.where(span > 0, span, 1.0), 0.0), jnp.float32))
        self.size = edges.shape[1]

    def __call__(self, numeric: jax.Array) -> jax.Array:
        """float32 [b, d] → [b, d, size]."""
        missing = jnp.isnan(numeric)[:, :, None]
        through = jnp.clip((jnp.where(missing, 0.0, numeric[:, :, None]) - self.low[...]) * self.slope[...], 0.0, 1.0)
        return jnp.concatenate([jnp.where(missing, 0.0, through), missing.astype(through.dtype)], axis=2)


class Standardised(nnx.Module):
    """Numbers → (x - mean) / deviation, cut at ±10, and whether it is missing (then the number is 0)."""

    size = 2

    def __init__(self, mean: np.ndarray, deviation: np.ndarray) -> None:
        self.mean = Statistic(jnp.asarray(mean))
        self.deviation = Statistic(jnp.asarray(deviation))

    def __call__(self, numeric: jax.Array) -> jax.Array:
        """float32 [b, d] → [b, d, 2]."""
        missing = jnp.isnan(numeric)
        scaled = jnp.clip((numeric - self.mean[...]) / self.deviation[...], -10.0, 10.0)
        return jnp.stack([jnp.where(missing, 0.0, scaled), missing.astype(scaled.dtype)], axis=2)


class Forget(nnx.Module):
    """Takes a known category for an unseen one now and then, in training only."""

    def __init__(self, rate: float, rngs: nnx.Rngs) -> None:
        self.rate = rate
        self.deterministic = False
        self.stream = rngs["forget"].fork()

    def __call__(self, codes: jax.Array) -> jax.Array:
        """int32 [b, c] → the same with some codes replaced."""
        if self.deterministic:
            return codes
        forget = jax.random.bernoulli(self.stream(), self.rate, codes.shape)
        return jnp.where(forget & (codes >= FIRST_WORD), UNSEEN, codes)


def numbers_embedding(preparation: Preparation, kind: str) -> PiecewiseLinear | Standardised:
    if kind == "piecewise":
        return PiecewiseLinear(preparation.edges)
    return Standardised(preparation.mean, preparation.deviation)


class FirstLayer(nnx.Module):
    """The first linear layer, one block of weights an input: [b] raw rows → [b, inputs, width] contributions.

    A number's block takes its embedding; a category's is a row of a table, which is a one-hot input times a matrix.
    A kind of input that the model does not have has no weights: Orbax cannot keep arrays of size 0. Inputs are
    prepared in float32, whatever the contributions are computed in (`dtype`).
    """

    def __init__(
        self, preparation: Preparation, embedding: str, width: int, rngs: nnx.Rngs, dtype: Any = jnp.float32
    ) -> None:
        scale = 1.0 / np.sqrt(max(1, preparation.inputs))
        count, words = len(preparation.mean), sum(preparation.cardinalities)
        self.width, self.dtype = width, dtype

        def block(*shape: int) -> nnx.Param[jax.Array]:
            return nnx.Param(scale * jax.random.normal(rngs.params(), (*shape, width)))

        numbers = numbers_embedding(preparation, embedding)
        self.numbers = numbers if count else None
        self.weights = block(count, numbers.size) if count else None
        self.table = block(words) if words else None
        self.forget = Forget(FORGET_RATE, rngs)
        self.offsets = tuple(int(n) for n in np.cumsum((0, *preparation.cardinalities))[:-1])
        self.limits = tuple(n - 1 for n in preparation.cardinalities)

    def __call__(self, numeric: jax.Array, categorical: jax.Array) -> jax.Array:
        """float32 [b, d], int32 [b, c] → [b, d + c, width]."""
        return jnp.concatenate([self._numbers(numeric, "bdi,diw->bdw"), self.categories(categorical)], axis=1)

    def summed(self, numeric: jax.Array, categorical: jax.Array) -> jax.Array:
        """[b, width]: the sum over the inputs, in one product."""
        words = jnp.sum(self.categories(categorical), axis=1)
        return words if self.weights is None else self._numbers(numeric, "bdi,diw->bw") + words

    def _numbers(self, numeric: jax.Array, product: str) -> jax.Array:
        """Embedding times weights, [b, d, width] or summed over d, as `product` says."""
        if self.numbers is None or self.weights is None:
            return jnp.zeros((numeric.shape[0], 0, self.width), self.dtype)
        return jnp.einsum(product, self.numbers(numeric).astype(self.dtype), self.weights[...].astype(self.dtype))

    def categories(self, categorical: jax.Array) -> jax.Array:
        """int32 [b, c] → [b, c, width]."""
        if self.table is None:
            return jnp.zeros((categorical.shape[0], 0, self.width), self.dtype)
        codes = jnp.clip(self.forget(categorical), 0, jnp.asarray(self.limits, jnp.int32))
        return jnp.take(self.table[...], codes + jnp.asarray(self.offsets, jnp.int32), axis=0).astype(self.dtype)
