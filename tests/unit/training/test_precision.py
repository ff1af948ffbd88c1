"""Precision: what layers compute in, and what stays float32 all the same."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from jax import export

from pipeline.config.models import Mlp, OwnNetwork, Tabm
from pipeline.models.embeddings import Preparation
from pipeline.models.flat import FlatModel, Leaves, flatten
from pipeline.models.network import exported, network_builder
from pipeline.training.batches import Rows
from pipeline.training.precision import plan_precision, takes_dtype

pytestmark = pytest.mark.slow  # compiles networks

PREPARATION = Preparation(
    edges=np.array([[0.0, 1.0, 3.0], [5.0, 5.5, 6.0]], np.float32),
    mean=np.array([1.0, 5.5], np.float32),
    deviation=np.array([2.0, 0.5], np.float32),
    cardinalities=(4, 3),
)
ROWS = Rows(
    jnp.array([[0.5, 5.5], [np.nan, 6.0], [9.0, -1.0], [2.0, np.nan]], jnp.float32),
    jnp.array([[0, 2], [1, 1], [3, 0], [99, 2]], jnp.int32),
    jnp.array([0.0, 1.0, 1.0, 0.0], jnp.float32),
)


class Told(nnx.Module):
    def __init__(self, inputs: int, outputs: int, rngs: nnx.Rngs, dtype: Any = None) -> None:
        self.layer = nnx.Linear(inputs, outputs, dtype=dtype, rngs=rngs)

    def __call__(self, inputs: jax.Array) -> jax.Array:
        return jnp.asarray(self.layer(inputs))


def untold(inputs: int, outputs: int, rngs: nnx.Rngs, **further: Any) -> nnx.Module:
    return Told(inputs, outputs, rngs, **further)


NETWORKS = [
    Tabm(width=8, members=3, bins=2, dropout=0.0),
    Mlp(kind="mlp", width=8, bins=2, dropout=0.0),
    OwnNetwork(kind="python", module="net.py:make"),
]


def built(config: Any, dtype: Any, own: Any = Told) -> Any:
    builder = network_builder(config, PREPARATION, task="binary", classes=2, target=(0.0, 1.0), own=own, dtype=dtype)
    return flatten(builder, seed=0)


def said(model: FlatModel, leaves: Leaves) -> jax.Array:
    """Scores as evaluation computes them, in one compiled program."""
    scores: jax.Array = jax.jit(lambda leaves: model.module(leaves, train=False).scores(*ROWS[:2]))(leaves)
    return scores


@pytest.mark.parametrize(
    ("choice", "platform", "own", "expected"),
    [
        ("auto", "cpu", None, "float32"),
        ("auto", "gpu", None, "bfloat16"),
        ("auto", "tpu", None, "bfloat16"),
        ("float32", "gpu", None, "float32"),
        ("bfloat16", "cpu", None, "bfloat16"),
        ("auto", "gpu", Told, "bfloat16"),
        ("auto", "gpu", untold, "as written"),
        ("float32", "gpu", untold, "float32"),
    ],
)
def test_auto_is_float32_on_a_cpu_and_bfloat16_elsewhere(choice: Any, platform: str, own: Any, expected: str) -> None:
    plan = plan_precision(choice, platform, own)
    assert plan.precision == expected
    assert plan.dtype == (jnp.bfloat16 if expected == "bfloat16" else jnp.float32)
    assert ("takes no dtype" in plan.note) == (expected == "as written")


def test_a_function_is_told_only_what_it_asks_for() -> None:
    assert takes_dtype(Told)
    assert not takes_dtype(untold)
    own = OwnNetwork(kind="python", module="net.py:make", params={"dtype": jnp.float16})
    model, leaves = built(own, jnp.bfloat16)
    assert model.module(leaves, train=False).trunk.module.layer.dtype == jnp.float16, "the project's word counts"


@pytest.mark.parametrize("config", NETWORKS)
def test_layers_compute_in_bfloat16_and_what_is_kept_and_said_is_float32(config: Any) -> None:
    model, leaves = built(config, jnp.bfloat16)
    trained, others = model.part(leaves)
    assert {leaf.dtype for leaf in trained} == {jnp.dtype(jnp.float32)}

    def loss(trained: Any) -> jax.Array:
        losses: jax.Array = model.module(model.join(trained, others), train=True).losses(ROWS)
        assert losses.dtype == jnp.float32
        return jnp.mean(losses)

    slopes = jax.jit(jax.grad(loss))(trained)
    assert {leaf.dtype for leaf in slopes} == {jnp.dtype(jnp.float32)}
    assert "bf16" in str(jax.make_jaxpr(loss)(trained))
    assert said(model, leaves).dtype == jnp.float32


@pytest.mark.parametrize("config", NETWORKS)
def test_bfloat16_says_nearly_what_float32_says(config: Any) -> None:
    both = []
    for dtype in (jnp.float32, jnp.bfloat16):
        model, leaves = built(config, dtype)
        both.append(np.asarray(said(model, leaves)))
    assert (both[0] != both[1]).any()
    np.testing.assert_allclose(both[0], both[1], atol=0.01)


@pytest.mark.parametrize("config", NETWORKS)
def test_the_exported_function_gives_in_bfloat16_what_evaluation_gave(config: Any) -> None:
    model, leaves = built(config, jnp.bfloat16)
    apply, params = exported(model, leaves)
    direct = np.asarray(jax.jit(apply)(params, ROWS.numeric, ROWS.categorical))
    written = export.export(jax.jit(apply), platforms=("cpu", "cuda", "tpu"))(params, ROWS.numeric, ROWS.categorical)
    read = export.deserialize(written.serialize())
    np.testing.assert_array_equal(jax.jit(read.call)(params, ROWS.numeric, ROWS.categorical), direct)


def test_float32_is_float32_throughout() -> None:
    model, leaves = built(NETWORKS[0], jnp.float32)
    scores = jax.make_jaxpr(lambda leaves: model.module(leaves, train=False).scores(ROWS.numeric, ROWS.categorical))
    assert "bf16" not in str(scores(leaves))
