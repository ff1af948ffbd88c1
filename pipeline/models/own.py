"""A network of the project: a Flax NNX module that knows nothing of us, behind our embedding of the inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from pipeline.models.embeddings import FORGET_RATE, Forget, Preparation, Standardised


class OwnTrunk(nnx.Module):
    """Raw rows → a flat float32 vector (standardised numbers, missing flags, one-hot categories) → the module."""

    def __init__(
        self,
        preparation: Preparation,
        make: Callable[..., nnx.Module],
        params: dict[str, Any],
        outputs: int,
        rngs: nnx.Rngs,
    ) -> None:
        self.numbers = Standardised(preparation.mean, preparation.deviation) if len(preparation.mean) else None
        self.forget = Forget(FORGET_RATE, rngs)
        self.cardinalities = preparation.cardinalities
        inputs = len(preparation.mean) * Standardised.size + sum(preparation.cardinalities)
        self.module = make(inputs, outputs, rngs, **params)

    def __call__(self, numeric: jax.Array, categorical: jax.Array) -> jax.Array:
        """float32 [b, d], int32 [b, c] → float32 [b, 1, outputs]."""
        numbers = [] if self.numbers is None else [self.numbers(numeric).reshape(numeric.shape[0], -1)]
        codes = self.forget(categorical)
        hot = [jax.nn.one_hot(codes[:, i], size) for i, size in enumerate(self.cardinalities)]
        inner: Any = self.module
        return jnp.asarray(inner(jnp.concatenate([*numbers, *hot], axis=1)), jnp.float32)[:, None, :]
