"""Learning rates over the steps."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.config.models import Training
from pipeline.training.optimizer import make_optimizer, make_schedule, planned_epochs


def rates(training: Training, total: int) -> np.ndarray:
    return np.asarray(jax.vmap(make_schedule(training, total))(jnp.arange(total)) * jnp.ones(total))


@settings(max_examples=15, deadline=None)
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


def test_a_schedule_goes_down_as_it_says() -> None:
    for name, middle in (("constant", 1.0), ("cosine", 0.5), ("linear", 0.5)):
        found = rates(Training(schedule=name, warmup=0.0, learning_rate=1.0), 101)
        assert found[0] == pytest.approx(1.0)
        assert found[50] == pytest.approx(middle, abs=0.01)
    assert rates(Training(schedule="cosine", warmup=0.2, learning_rate=1.0), 100)[19] == pytest.approx(1.0)


def test_weight_decay_spares_vectors() -> None:
    training = Training(weight_decay=0.5, learning_rate=0.1, warmup=0.0, schedule="constant")
    optimizer = make_optimizer(training, make_schedule(training, 10))
    parameters = (jnp.ones((2, 2)), jnp.ones(2))
    state = optimizer.init(parameters)
    (matrix, vector), _ = optimizer.update(jax.tree.map(jnp.zeros_like, parameters), state, parameters)
    np.testing.assert_allclose(matrix, -0.05, rtol=1e-5)
    np.testing.assert_array_equal(vector, 0.0)


@pytest.mark.parametrize("name", ["adamw", "adam", "sgd"])
def test_a_clipped_step_does_not_depend_on_the_size_of_a_large_gradient(name: str) -> None:
    training = Training(optimizer=name, clip=1.0, weight_decay=0.0, warmup=0.0)
    optimizer = make_optimizer(training, make_schedule(training, 10))
    parameters = jnp.ones((2, 2))
    state = optimizer.init(parameters)
    small, large = (optimizer.update(jnp.full((2, 2), size), state, parameters)[0] for size in (1e3, 1e6))
    np.testing.assert_allclose(small, large, rtol=1e-4)


@pytest.mark.parametrize(
    ("configured", "steps_per_epoch", "expected"), [(3, 1, 3), (None, 1, 100), (None, 400, 5), (None, 10**6, 5)]
)
def test_epochs_left_open_follow_the_number_of_rows(
    configured: int | None, steps_per_epoch: int, expected: int
) -> None:
    assert planned_epochs(Training(epochs=configured), steps_per_epoch) == expected
