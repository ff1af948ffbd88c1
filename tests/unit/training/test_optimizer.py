"""Learning rates over the steps, and what a gradient does to parameters."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.config.models import Training
from pipeline.training.optimizer import Gradient, make_optimizer, make_schedule, planned_epochs
from tests.examples import examples


def rates(training: Training, total: int) -> np.ndarray:
    return np.asarray(jax.jit(jax.vmap(make_schedule(training, total)))(jnp.arange(total)) * jnp.ones(total))


@pytest.mark.slow
@settings(max_examples=examples(15))
@given(
    total=st.sampled_from([1, 2, 50]),
    warmup=st.sampled_from([0.0, 0.05, 0.5, 1.0]),
    schedule=st.sampled_from(["constant", "cosine", "linear"]),
)
def test_rates_rise_to_the_peak_then_never_rise_again(total: int, warmup: float, schedule: str) -> None:
    training = Training(schedule=schedule, warmup=warmup, learning_rate=0.5)
    found = rates(training, total)
    warm = round(warmup * total)
    assert found.min() >= 0
    assert found.max() <= 0.5 * (1 + 1e-6)
    assert (np.diff(found[:warm]) >= -1e-7).all()
    assert (np.diff(found[warm:]) <= 1e-7).all()
    assert found[0] > 0, "no step is without effect"


@pytest.mark.slow
def test_a_schedule_goes_down_as_it_says() -> None:
    for name, middle in (("constant", 1.0), ("cosine", 0.5), ("linear", 0.5)):
        found = rates(Training(schedule=name, warmup=0.0, learning_rate=1.0), 101)
        assert found[0] == pytest.approx(1.0)
        assert found[50] == pytest.approx(middle, abs=0.01)
    assert rates(Training(schedule="cosine", warmup=0.2, learning_rate=1.0), 100)[19] == pytest.approx(1.0)


def after_a_step(training: Training, slopes: Any, parameters: Any) -> Any:
    optimizer = make_optimizer(training, make_schedule(training, 10))
    return jax.jit(optimizer.update)(Gradient.of(slopes), optimizer.init(parameters), parameters)[0]


@pytest.mark.slow
def test_weight_decay_spares_vectors() -> None:
    training = Training(weight_decay=0.5, learning_rate=0.1, warmup=0.0, schedule="constant")
    parameters = (jnp.ones((2, 2)), jnp.ones(2))
    matrix, vector = after_a_step(training, jax.tree.map(jnp.zeros_like, parameters), parameters)
    np.testing.assert_allclose(matrix, 0.95, rtol=1e-5)
    np.testing.assert_array_equal(vector, 1.0)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["adamw", "adam", "sgd"])
def test_a_clipped_step_does_not_depend_on_the_size_of_a_large_gradient(name: str) -> None:
    training = Training(optimizer=name, clip=1.0, weight_decay=0.0, warmup=0.0)
    parameters = (jnp.zeros((2, 2)),)
    small, large = (after_a_step(training, (jnp.full((2, 2), size),), parameters)[0] for size in (1e3, 1e6))
    assert (np.asarray(small) != 0).all()
    np.testing.assert_allclose(small, large, rtol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("clip", [None, 1.0])
@pytest.mark.parametrize("name", ["adamw", "adam", "sgd"])
def test_steps_are_those_of_optax(name: str, clip: float | None) -> None:
    """Whose rules keep a momentum for each parameter, where ours are one vector."""
    training = Training(optimizer=name, clip=clip, learning_rate=0.1, weight_decay=0.1)
    schedule = make_schedule(training, 20)
    rule = {
        "adamw": optax.adamw(schedule, weight_decay=0.1, mask=lambda tree: jax.tree.map(lambda x: x.ndim >= 2, tree)),
        "adam": optax.adam(schedule),
        "sgd": optax.sgd(schedule, momentum=0.9, nesterov=True),
    }[name]
    theirs = rule if clip is None else optax.chain(optax.clip_by_global_norm(clip), rule)
    ours = make_optimizer(training, schedule)
    our_step, their_step = jax.jit(ours.update), jax.jit(theirs.update)  # as training does: one compilation each
    rng = np.random.default_rng(1)
    one: Any = tuple(jnp.asarray(rng.normal(size=shape), jnp.float32) for shape in [(3, 4), (4,), (), (4, 1, 2)])
    other, memory, state = one, ours.init(one), theirs.init(one)
    for size in (0.01, 1.0, 30.0, 0.1):
        slopes = tuple(jnp.asarray(size * rng.normal(size=leaf.shape), jnp.float32) for leaf in one)
        one, memory = our_step(Gradient.of(slopes), memory, one)
        updates, state = their_step(slopes, state, other)
        other = optax.apply_updates(other, updates)
    for mine, expected in zip(one, other, strict=True):
        np.testing.assert_allclose(mine, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_one_bad_entry_anywhere_makes_the_norm_bad_and_zeros_do_not(bad: float) -> None:
    leaves = [np.zeros((2, 3), np.float32), np.zeros(5, np.float32), np.zeros((), np.float32)]
    assert float(Gradient.of(tuple(map(jnp.asarray, leaves))).norm) == 0.0
    for place, leaf in enumerate(leaves):
        spoilt = leaf.copy()
        spoilt[(-1,) * leaf.ndim] = bad
        arrays = [*leaves[:place], spoilt, *leaves[place + 1 :]]
        assert not np.isfinite(Gradient.of(tuple(map(jnp.asarray, arrays))).norm)


def test_a_gradient_too_long_for_float32_counts_as_not_finite() -> None:
    """Scaled by an infinite length it would be zero: a step without effect that nobody hears of."""
    assert np.isfinite(Gradient.of((jnp.array([1e18, 1e18]),)).norm)
    assert not np.isfinite(Gradient.of((jnp.array([1e30, 1e30]),)).norm)


@pytest.mark.parametrize(
    ("configured", "steps_per_epoch", "expected"), [(3, 1, 3), (None, 1, 100), (None, 400, 5), (None, 10**6, 5)]
)
def test_epochs_left_open_follow_the_number_of_rows(
    configured: int | None, steps_per_epoch: int, expected: int
) -> None:
    assert planned_epochs(Training(epochs=configured), steps_per_epoch) == expected
