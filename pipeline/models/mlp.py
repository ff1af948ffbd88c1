"""A multi-layer perceptron on embedded inputs: the plain network to compare others with."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from pipeline.config.models import Mlp
from pipeline.models.embeddings import FirstLayer, Preparation


class MlpTrunk(nnx.Module):
    """Raw rows → one member's outputs. All but the last layer compute in `dtype`."""

    def __init__(
        self, preparation: Preparation, config: Mlp, outputs: int, rngs: nnx.Rngs, dtype: Any = jnp.float32
    ) -> None:
        width = config.width
        self.first = FirstLayer(preparation, config.embedding, width, rngs, dtype)
        self.dtype = dtype
        self.bias = nnx.Param(jnp.zeros(width))
        self.hidden = nnx.List([nnx.Linear(width, width, dtype=dtype, rngs=rngs) for _ in range(config.depth - 1)])
        self.dropout = nnx.Dropout(config.dropout, rngs=rngs)
        self.head = nnx.Linear(width, outputs, rngs=rngs)

    def __call__(self, numeric: jax.Array, categorical: jax.Array) -> jax.Array:
        """float32 [b, d], int32 [b, c] → float32 [b, 1, outputs]."""
        inner = self.dropout(nnx.relu(self.first.summed(numeric, categorical) + self.bias[...].astype(self.dtype)))
        for layer in self.hidden:
            inner = self.dropout(nnx.relu(layer(inner)))
        return jnp.asarray(self.head(inner.astype(jnp.float32)))[:, None, :]
