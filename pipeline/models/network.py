"""A whole network: inputs, trunk and head, as the loop trains it and as the bundle exports it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import jax
import jax.numpy as jnp
from flax import nnx

from pipeline.config.models import Mlp, OwnNetwork, Tabm
from pipeline.models.embeddings import Preparation
from pipeline.models.flat import FlatModel, Leaves
from pipeline.models.heads import BinaryHead, Head, MulticlassHead, RegressionHead
from pipeline.models.mlp import MlpTrunk
from pipeline.models.own import OwnTrunk
from pipeline.models.tabm import TabmTrunk
from pipeline.training.batches import Rows
from pipeline.training.precision import takes_dtype
from pipeline.versions.signature import Task


class Trunk(Protocol):
    def __call__(self, numeric: jax.Array, categorical: jax.Array) -> jax.Array:
        """float32 [b, d], int32 [b, c] → float32 [b, members, outputs]."""
        ...


class Network(nnx.Module):
    """Trunk and head. See `pipeline.training.steps.Trainable` for what the methods promise."""

    def __init__(self, trunk: Trunk, head: Head) -> None:
        self.trunk = trunk
        self.head = head

    def losses(self, rows: Rows) -> jax.Array:
        outputs = self.trunk(jnp.asarray(rows.numeric), jnp.asarray(rows.categorical))
        return self.head.losses(outputs, jnp.asarray(rows.target))

    def scores(self, numeric: jax.Array, categorical: jax.Array) -> jax.Array:
        return self.head.scores(self.trunk(numeric, categorical))

    def score_losses(self, scores: jax.Array, target: jax.Array) -> jax.Array:
        return self.head.score_losses(scores, target)


def network_builder(
    config: Mlp | Tabm | OwnNetwork,
    preparation: Preparation,
    *,
    task: Task,
    classes: int,
    target: tuple[float, float],
    own: Callable[..., nnx.Module] | None = None,
    dtype: Any = jnp.float32,
) -> Callable[[nnx.Rngs], Network]:
    """What `flatten` builds. `classes`: of a multiclass task. `target`: mean and deviation, of a regression.
    `own`: the project's function, already loaded, for an OwnNetwork. `dtype`: what the layers compute in; a project's
    function gets it where it has such a parameter and `params` say nothing of it."""
    outputs = classes if task == "multiclass" else 1

    def build(rngs: nnx.Rngs) -> Network:
        trunk: Trunk
        if isinstance(config, OwnNetwork):
            assert own is not None
            told = {"dtype": dtype} if takes_dtype(own) else {}
            trunk = OwnTrunk(preparation, own, {**told, **config.params}, outputs, rngs)
        elif isinstance(config, Mlp):
            trunk = MlpTrunk(preparation, config, outputs, rngs, dtype)
        else:
            trunk = TabmTrunk(preparation, config, outputs, rngs, dtype)
        return Network(trunk, _head(task, target))

    return build


def exported(model: FlatModel, leaves: Leaves) -> tuple[Callable[..., jax.Array], dict[str, jax.Array]]:
    """(apply, params) for a bundle: `apply(params, numeric f32[b, d], categorical i32[b, c]) → scores`."""
    params = dict(zip(model.names, leaves, strict=True))

    def apply(params: Mapping[str, Any], numeric: jax.Array, categorical: jax.Array) -> jax.Array:
        ordered = tuple(params[name] for name in model.names)
        scores: jax.Array = model.module(ordered, train=False).scores(numeric, categorical)
        return scores

    return apply, params


def _head(task: Task, target: tuple[float, float]) -> Head:
    if task == "regression":
        return RegressionHead(*target)
    return BinaryHead() if task == "binary" else MulticlassHead()
