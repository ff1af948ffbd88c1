"""Networks: what goes in, what is missing or new, what members are, and that all of it can be exported."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from hypothesis import given, settings
from hypothesis import strategies as st
from jax import export
from scipy.special import expit, softmax

from pipeline.config.models import Mlp, OwnNetwork, Tabm
from pipeline.models.embeddings import FirstLayer, Forget, PiecewiseLinear, Preparation, Standardised
from pipeline.models.flat import flatten
from pipeline.models.heads import BinaryHead, MulticlassHead, RegressionHead
from pipeline.models.network import exported, network_builder
from pipeline.training.batches import Rows
from pipeline.versions.signature import UNSEEN
from tests.examples import examples

EDGES = np.array([[0.0, 1.0, 3.0], [5.0, 5.0, 6.0]], np.float32)
PREPARATION = Preparation(
    edges=EDGES,
    mean=np.array([1.0, 5.5], np.float32),
    deviation=np.array([2.0, 0.5], np.float32),
    cardinalities=(4, 3),
)

pytestmark = pytest.mark.slow  # trains for real
TABM = Tabm(width=8, members=3, bins=2, dropout=0.0)
NUMERIC = np.array([[0.5, 5.5], [np.nan, 6.0], [9.0, -1.0], [2.0, np.nan]], np.float32)
CATEGORICAL = np.array([[0, 2], [1, 1], [3, 0], [99, 2]], np.int32)


@pytest.fixture(scope="module", autouse=True)
def quick_compilation() -> Iterator[None]:
    """What is tested here is what the networks compute; to optimise these programs takes longer than to run them."""
    jax.config.update("jax_disable_most_optimizations", True)  # type: ignore[no-untyped-call]
    yield
    jax.config.update("jax_disable_most_optimizations", False)  # type: ignore[no-untyped-call]


def built(config: Any, task: Any = "binary", own: Callable[..., nnx.Module] | None = None) -> Any:
    builder = network_builder(config, PREPARATION, task=task, classes=3, target=(10.0, 4.0), own=own)
    return flatten(builder, seed=0)


@functools.cache
def tabm() -> Any:
    """The network of many tests, for a binary task."""
    return built(TABM)


@settings(max_examples=examples(50))
@given(value=st.floats(-10, 10, width=32))
def test_a_piecewise_linear_embedding_is_how_far_each_bin_was_crossed(value: float) -> None:
    """Against the definition, bin by bin."""
    found = np.asarray(PiecewiseLinear(EDGES)(jnp.array([[value, value]], jnp.float32)))[0]
    for column, edges in enumerate(EDGES):
        for place, (low, high) in enumerate(itertools.pairwise(edges)):
            expected = 0.0 if high == low else min(max((value - low) / (high - low), 0.0), 1.0)
            assert found[column, place] == pytest.approx(expected, abs=1e-5)
        assert found[column, -1] == 0.0


def test_a_missing_number_is_nothing_but_missing() -> None:
    for embedding in (PiecewiseLinear(EDGES), Standardised(PREPARATION.mean, PREPARATION.deviation)):
        found = np.asarray(embedding(jnp.array([[jnp.nan, jnp.nan]])))[0]
        np.testing.assert_array_equal(found[:, -1], 1.0)
        np.testing.assert_array_equal(found[:, :-1], 0.0)


def test_absurd_numbers_stay_within_reach() -> None:
    for embedding in (PiecewiseLinear(EDGES), Standardised(PREPARATION.mean, PREPARATION.deviation)):
        found = np.asarray(embedding(jnp.array([[3e38, -3e38]], jnp.float32)))
        assert np.isfinite(found).all()
        assert np.abs(found).max() <= 10.0


def test_a_category_beyond_the_vocabulary_does_not_reach_into_the_next_column() -> None:
    layer = FirstLayer(PREPARATION, "piecewise", 5, nnx.Rngs(0))
    layer.eval()
    codes = np.asarray(layer.categories(jnp.array([[3, 2], [99, 99]], jnp.int32)))
    np.testing.assert_array_equal(codes[0], codes[1])


def test_the_sum_over_inputs_is_the_sum_of_their_contributions() -> None:
    layer = FirstLayer(PREPARATION, "piecewise", 5, nnx.Rngs(0))
    layer.eval()
    numeric, categorical = jnp.asarray(NUMERIC), jnp.asarray(CATEGORICAL)
    each = layer(numeric, categorical)
    assert each.shape == (4, 4, 5)
    np.testing.assert_allclose(each.sum(axis=1), layer.summed(numeric, categorical), rtol=1e-5, atol=1e-6)


def test_training_forgets_known_categories_now_and_then_and_evaluation_never() -> None:
    forget = Forget(0.25, nnx.Rngs(0))
    codes = jnp.tile(jnp.arange(4), (2000, 1))
    found = np.asarray(forget(codes))
    np.testing.assert_array_equal(found[:, :2], codes[:, :2])
    assert set(np.unique(found[:, 2:])) == {UNSEEN, 2, 3}
    assert 0.2 < (found[:, 2:] == UNSEEN).mean() < 0.3
    assert (np.asarray(forget(codes)) != found).any(), "each call draws anew"
    forget.eval()
    np.testing.assert_array_equal(forget(codes), codes)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize(
    "config", [TABM, Mlp(kind="mlp", width=8, bins=2), Mlp(kind="mlp", width=8, embedding="linear")]
)
def test_every_network_gives_scores_of_its_task(config: Any, task: str) -> None:
    model, leaves = built(config, task)
    apply, params = exported(model, leaves)
    scores = np.asarray(jax.jit(apply)(params, NUMERIC, CATEGORICAL))
    assert np.isfinite(scores).all()
    if task == "multiclass":
        assert scores.shape == (4, 3)
        np.testing.assert_allclose(scores.sum(axis=1), 1.0, rtol=1e-5)
    else:
        assert scores.shape == (4,)
    if task == "binary":
        assert ((scores > 0) & (scores < 1)).all()


def test_a_network_is_exported_for_any_batch_without_its_code() -> None:
    model, leaves = tabm()
    apply, params = exported(model, leaves)
    (rows,) = export.symbolic_shape("b")

    def shape(*size: Any, dtype: Any) -> Any:
        return jax.ShapeDtypeStruct(size, dtype)  # type: ignore[no-untyped-call]

    shapes = {name: shape(*leaf.shape, dtype=leaf.dtype) for name, leaf in params.items()}
    written = export.export(jax.jit(apply), platforms=("cpu", "cuda", "tpu"))(
        shapes, shape(rows, 2, dtype=np.float32), shape(rows, 2, dtype=np.int32)
    ).serialize()
    read = export.deserialize(written)
    for count in (1, 4):
        expected = jax.jit(apply)(params, NUMERIC[:count], CATEGORICAL[:count])
        np.testing.assert_array_equal(jax.jit(read.call)(params, NUMERIC[:count], CATEGORICAL[:count]), expected)


def test_members_share_their_layers_and_differ_in_what_they_say() -> None:
    model, leaves = tabm()
    outputs = np.asarray(model.module(leaves, train=False).trunk(NUMERIC, CATEGORICAL))
    assert outputs.shape == (4, 3, 1)
    assert len(np.unique(outputs[0])) == 3
    sizes = dict(zip(model.names, (leaf.shape for leaf in leaves), strict=True))
    assert sizes["trunk.hidden.0.kernel"] == (8, 8)
    assert sizes["trunk.scaling"] == (3, 4)


def test_what_was_found_in_the_rows_is_kept_but_not_trained() -> None:
    model, _ = built(TABM, "regression")
    fixed = {name for name, trains in zip(model.names, model.trainable, strict=True) if not trains}
    assert {"trunk.first.numbers.low", "trunk.first.numbers.slope", "head.mean", "head.deviation"} <= fixed
    assert {"trunk.first.weights", "trunk.heads"}.isdisjoint(fixed)


def test_leaves_come_back_as_they_were_split() -> None:
    model, leaves = tabm()
    trained, others = model.part(leaves)
    assert model.join(trained, others) == leaves
    again = model.leaves(model.module(leaves, train=True))
    for one, other in zip(leaves, again, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_project_s_own_network_sees_flags_for_what_is_missing_and_one_hot_categories() -> None:
    seen: list[int] = []

    class Sum(nnx.Module):
        def __init__(self, inputs: int, outputs: int, rngs: nnx.Rngs, scale: float) -> None:
            seen.append(inputs)
            self.weights = nnx.Param(jnp.full((inputs, outputs), scale))

        def __call__(self, inputs: jax.Array) -> jax.Array:
            return jnp.asarray(inputs @ self.weights[...])

    config = OwnNetwork(kind="python", module="net.py:make", params={"scale": 2.0})
    model, leaves = built(config, own=Sum)
    assert set(seen) == {2 * 2 + 4 + 3}
    outputs = np.asarray(model.module(leaves, train=False).trunk(NUMERIC[:1], CATEGORICAL[:1]))
    # (0.5 - 1) / 2, (5.5 - 5.5) / 0.5, no flag, and one of each category.
    assert outputs[0, 0, 0] == pytest.approx(2.0 * (-0.25 + 0.0 + 2.0))


def test_heads_agree_with_their_definitions() -> None:
    rng = np.random.default_rng(0)
    outputs = rng.normal(size=(5, 3, 4)).astype(np.float32)
    labels, classes = np.array([0, 1, 1, 0, 1], np.float32), np.array([0, 3, 2, 1, 1], np.int32)
    binary, many = BinaryHead(), MulticlassHead()
    logits, both, kinds = jnp.asarray(outputs[:, :, :1]), jnp.asarray(labels), jnp.asarray(classes)
    probability = expit(outputs[:, :, 0])
    np.testing.assert_allclose(binary.scores(logits), probability.mean(axis=1), rtol=1e-5)
    own = np.where(labels[:, None] == 1, probability, 1 - probability)
    np.testing.assert_allclose(binary.losses(logits, both), -np.log(own).mean(axis=1), rtol=1e-4)
    chances = softmax(outputs, axis=2)
    np.testing.assert_allclose(many.scores(jnp.asarray(outputs)), chances.mean(axis=1), rtol=1e-5)
    chosen = chances[np.arange(5), :, classes]
    np.testing.assert_allclose(many.losses(jnp.asarray(outputs), kinds), -np.log(chosen).mean(axis=1), rtol=1e-4)
    losses = many.score_losses(many.scores(jnp.asarray(outputs)), kinds)
    np.testing.assert_allclose(losses, -np.log(chosen.mean(axis=1)), rtol=1e-4)


def test_a_regression_learns_in_deviations_and_answers_in_the_target_s_unit() -> None:
    head = RegressionHead(100.0, 20.0)
    outputs = jnp.array([[[1.0], [2.0]]])
    np.testing.assert_allclose(head.scores(outputs), [130.0])
    np.testing.assert_allclose(head.losses(outputs, jnp.array([120.0])), [(0.0**2 + 1.0**2) / 2])
    np.testing.assert_allclose(head.score_losses(jnp.array([130.0]), jnp.array([120.0])), [0.25])


def test_a_network_learns_through_missing_and_unseen_values() -> None:
    """No gradient is lost to NaN: one that is would stop the whole batch."""
    model, leaves = tabm()
    rows = Rows(jnp.asarray(NUMERIC), jnp.asarray(CATEGORICAL), jnp.array([0.0, 1.0, 1.0, 0.0]))
    trained, others = model.part(leaves)

    def loss(trained: Any) -> jax.Array:
        return jnp.mean(model.module(model.join(trained, others), train=True).losses(rows))

    for leaf in jax.tree.leaves(jax.jit(jax.grad(loss))(trained)):
        assert np.isfinite(np.asarray(leaf)).all()
