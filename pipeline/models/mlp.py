"""A multi-layer perceptron on embedded inputs: the plain network to compare others with."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import nnx

from pipeline.config.models import Mlp
from pipeline.models.embeddings import FirstLayer, Preparation


class MlpTrunk(nnx.Module):
    """Raw rows → one member's outputs."""

    def __init__(self, preparation: Preparation, config: Mlp, outputs: int, rngs: nnx.Rngs) -> None:
        width = config.width
        self.first = FirstLayer(preparation, config.embedding, width, rngs)
        self.bias = nnx.Param(jnp.zeros(width))
        self.hidden = nnx.List([nnx.Linear(width, width, rngs=rngs) for _ in range(config.depth - 1)])
        self.dropout = nnx.Dropout(config.dropout, rngs=rngs)
        self.head = nnx.Linear(width, outputs, rngs=rngs)

    def __call__(self, numeric: jax.Array, categorical: jax.Array) -> jax.Array:
        """float32 [b, d], int32 [b, c] → float32 [b, 1, outputs]."""
        inner = self.dropout(nnx.relu(self.first.summed(numeric, categorical) + self.bias[...]))
        for layer in self.hidden:
            inner = self.dropout(nnx.relu(layer(inner)))
        return jnp.asarray(self.head(inner))[:, None, :]
