"""Networks that fill a GPU: a wide perceptron over a table's rows, and a transformer over sequences of words."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import Any, Final, Literal

import jax
import jax.numpy as jnp
import optax
from flax import nnx

from pipeline.training.batches import Rows

COLUMNS: Final = 32
WIDTH: Final = 1024
MODEL_WIDTH: Final = 1024
LAYERS: Final = 12
HEADS: Final = 16
WORDS: Final = 1000
Attention = Literal["cudnn", "xla"]


class Perceptron(nnx.Module):
    """32-1024-1024-1024-1."""

    def __init__(self, rngs: nnx.Rngs, dtype: Any = jnp.float32) -> None:
        sizes = (COLUMNS, WIDTH, WIDTH, WIDTH)
        self.inner = nnx.List([nnx.Linear(a, b, rngs=rngs, dtype=dtype) for a, b in pairwise(sizes)])
        self.last = nnx.Linear(WIDTH, 1, rngs=rngs, dtype=jnp.float32)

    def scores(self, numeric: jax.Array, categorical: jax.Array) -> jax.Array:
        for layer in self.inner:
            numeric = nnx.relu(layer(numeric))
        return jnp.asarray(self.last(numeric.astype(jnp.float32)))[:, 0]

    def losses(self, rows: Rows) -> jax.Array:
        logits = self.scores(jnp.asarray(rows.numeric), jnp.asarray(rows.categorical))
        return self.score_losses(logits, jnp.asarray(rows.target))

    def score_losses(self, scores: jax.Array, target: jax.Array) -> jax.Array:
        return jnp.asarray(optax.sigmoid_binary_cross_entropy(scores, target))


class Layer(nnx.Module):
    """Attention and a perceptron of four times the width, each after a normalisation."""

    def __init__(self, rngs: nnx.Rngs, attention: Attention) -> None:
        self.attention = attention
        made = partial(nnx.Linear, rngs=rngs, dtype=jnp.bfloat16)
        self.norms = nnx.List([nnx.LayerNorm(MODEL_WIDTH, rngs=rngs, dtype=jnp.bfloat16) for _ in range(2)])
        self.joint, self.out = made(MODEL_WIDTH, 3 * MODEL_WIDTH), made(MODEL_WIDTH, MODEL_WIDTH)
        self.up, self.down = made(MODEL_WIDTH, 4 * MODEL_WIDTH), made(4 * MODEL_WIDTH, MODEL_WIDTH)

    def __call__(self, x: jax.Array) -> jax.Array:
        shape = (*x.shape[:2], HEADS, MODEL_WIDTH // HEADS)
        q, k, v = (part.reshape(shape) for part in jnp.split(self.joint(self.norms[0](x)), 3, axis=-1))
        seen = jax.nn.dot_product_attention(q, k, v, implementation=self.attention)
        x = x + self.out(seen.reshape(x.shape))
        return jnp.asarray(x + self.down(nnx.gelu(self.up(self.norms[1](x)))))


class Transformer(nnx.Module):
    """Words of a sequence in, one logit out."""

    def __init__(self, rngs: nnx.Rngs, attention: Attention) -> None:
        self.words = nnx.Embed(WORDS, MODEL_WIDTH, rngs=rngs, dtype=jnp.bfloat16)
        self.layers = nnx.List([Layer(rngs, attention) for _ in range(LAYERS)])
        self.last = nnx.Linear(MODEL_WIDTH, 1, rngs=rngs, dtype=jnp.float32)

    def scores(self, numeric: jax.Array, categorical: jax.Array) -> jax.Array:
        x = self.words(categorical)
        for layer in self.layers:
            x = layer(x)
        return jnp.asarray(self.last(x.mean(axis=1).astype(jnp.float32)))[:, 0]

    def losses(self, rows: Rows) -> jax.Array:
        logits = self.scores(jnp.asarray(rows.numeric), jnp.asarray(rows.categorical))
        return self.score_losses(logits, jnp.asarray(rows.target))

    def score_losses(self, scores: jax.Array, target: jax.Array) -> jax.Array:
        return jnp.asarray(optax.sigmoid_binary_cross_entropy(scores, target))
