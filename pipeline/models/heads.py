"""From what members say to losses and predictions, for each task."""

from __future__ import annotations

from typing import Protocol

import jax
import jax.numpy as jnp
import optax
from flax import nnx

from pipeline.models.embeddings import Statistic

_TINY = 1e-7


class Head(Protocol):
    """`outputs` are float32 [b, members, k]."""

    def losses(self, outputs: jax.Array, target: jax.Array) -> jax.Array:
        """float32 [b]: the mean over the members of each one's own loss (members must not lean on each other)."""
        ...

    def scores(self, outputs: jax.Array) -> jax.Array:
        """The prediction: the mean of the members' predictions."""
        ...

    def score_losses(self, scores: jax.Array, target: jax.Array) -> jax.Array:
        """float32 [b]: the loss of predictions."""
        ...


class BinaryHead(nnx.Module):
    """Probability of class 1: [b]. The loss is the negative log-likelihood."""

    def __init__(self) -> None:
        self.temperature = Statistic(jnp.ones(()))

    def losses(self, outputs: jax.Array, target: jax.Array) -> jax.Array:
        logits = outputs[:, :, 0]
        return jnp.mean(optax.sigmoid_binary_cross_entropy(logits, target[:, None]), axis=1)

    def scores(self, outputs: jax.Array) -> jax.Array:
        return jnp.mean(jax.nn.sigmoid(outputs[:, :, 0] / self.temperature[...]), axis=1)

    def score_losses(self, scores: jax.Array, target: jax.Array) -> jax.Array:
        return -jnp.log(jnp.clip(jnp.where(target > 0.5, scores, 1.0 - scores), _TINY))


class MulticlassHead(nnx.Module):
    """Probabilities of the classes: [b, k]. The loss is the negative log-likelihood."""

    def __init__(self) -> None:
        self.temperature = Statistic(jnp.ones(()))

    def losses(self, outputs: jax.Array, target: jax.Array) -> jax.Array:
        logits = jax.nn.log_softmax(outputs, axis=2)
        chosen = jnp.take_along_axis(logits, target[:, None, None], axis=2)
        return -jnp.mean(chosen[:, :, 0], axis=1)

    def scores(self, outputs: jax.Array) -> jax.Array:
        return jnp.mean(jax.nn.softmax(outputs / self.temperature[...], axis=2), axis=1)

    def score_losses(self, scores: jax.Array, target: jax.Array) -> jax.Array:
        return -jnp.log(jnp.clip(jnp.take_along_axis(scores, target[:, None], axis=1)[:, 0], _TINY))


class RegressionHead(nnx.Module):
    """A number in the target's own unit: [b]. The loss is the squared error in training-row deviations."""

    def __init__(self, mean: float, deviation: float) -> None:
        self.mean = Statistic(jnp.float32(mean))
        self.deviation = Statistic(jnp.float32(deviation))

    def losses(self, outputs: jax.Array, target: jax.Array) -> jax.Array:
        wanted = (target - self.mean[...]) / self.deviation[...]
        return jnp.mean(jnp.square(outputs[:, :, 0] - wanted[:, None]), axis=1)

    def scores(self, outputs: jax.Array) -> jax.Array:
        return jnp.asarray(jnp.mean(outputs[:, :, 0], axis=1) * self.deviation[...] + self.mean[...])

    def score_losses(self, scores: jax.Array, target: jax.Array) -> jax.Array:
        return jnp.square((scores - target) / self.deviation[...])
