"""Metrics, intervals and paired tests against scikit-learn and scipy."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import binomtest, bootstrap
from sklearn import metrics as oracle

from pipeline.stats.bootstrap import resampled_means, two_sided
from pipeline.stats.estimates import estimates, mcnemar, paired_tests
from pipeline.stats.metrics import METRICS, measure, scale
from pipeline.stats.orientation import SMALLER_IS_BETTER, gain

Array = npt.NDArray[Any]


def binary(rows: int, seed: int = 0) -> tuple[Array, Array]:
    """Labels drawn with the scores' own probabilities: a calibrated model."""
    rng = np.random.default_rng(seed)
    scores = rng.beta(1, 2, rows)
    return (rng.random(rows) < scores).astype(np.int32), scores


def test_metrics_of_two_classes_are_those_of_scikit_learn() -> None:
    labels, scores = binary(500)
    assert measure("auc", labels, scores).value == pytest.approx(oracle.roc_auc_score(labels, scores))
    assert measure("log_loss", labels, scores).value == pytest.approx(oracle.log_loss(labels, scores))
    assert measure("brier", labels, scores).value == pytest.approx(oracle.brier_score_loss(labels, scores))
    assert measure("accuracy", labels, scores).value == pytest.approx(oracle.accuracy_score(labels, scores >= 0.5))


def test_metrics_of_many_classes_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(2)
    scores = rng.dirichlet([1, 1, 1, 1], 400)
    labels = rng.integers(0, 4, 400).astype(np.int32)
    assert measure("log_loss", labels, scores).value == pytest.approx(oracle.log_loss(labels, scores))
    assert measure("accuracy", labels, scores).value == oracle.accuracy_score(labels, scores.argmax(axis=1))
    assert measure("brier", labels, scores).value == pytest.approx(np.square(np.eye(4)[labels] - scores).sum(1).mean())


def test_metrics_of_a_regression_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(3)
    labels = rng.normal(1e6, 3, 400)
    scores = labels + rng.normal(0.5, 1, 400)
    assert measure("rmse", labels, scores).value == pytest.approx(oracle.root_mean_squared_error(labels, scores))
    assert measure("mae", labels, scores).value == pytest.approx(oracle.mean_absolute_error(labels, scores))
    assert measure("r2", labels, scores).value == pytest.approx(oracle.r2_score(labels, scores))


def test_constant_labels_have_no_r2() -> None:
    assert np.isnan(measure("r2", np.ones(5), np.arange(5.0)).value)


def test_a_certain_and_wrong_answer_costs_a_finite_log_loss() -> None:
    assert measure("log_loss", np.array([1]), np.array([0.0])).value == pytest.approx(16.118, abs=1e-3)


def test_better_points_the_same_way_for_every_metric() -> None:
    worse, better = {"rmse": (2.0, 1.0)}, {"auc": (0.7, 0.8)}
    for name, (before, after) in {**worse, **better}.items():
        assert gain(name, after - before) > 0
    assert {"log_loss", "brier", "rmse", "mae"} == SMALLER_IS_BETTER
    assert scale("rmse", -4.0) == 4.0
    assert scale("auc", 0.7) == 1.0


@pytest.mark.slow
@given(hnp.arrays(np.float64, st.tuples(st.integers(2, 20), st.integers(1, 3)), elements=st.floats(-100, 100)))
def test_resampled_means_stay_within_the_column_and_repeat_with_the_seed(columns: Array) -> None:
    means = resampled_means(columns, 40, np.random.default_rng(7))
    assert means.shape == (40, columns.shape[1])
    assert (means >= columns.min(axis=0) - 1e-9).all()
    assert (means <= columns.max(axis=0) + 1e-9).all()
    np.testing.assert_array_equal(means, resampled_means(columns, 40, np.random.default_rng(7)))


def test_the_bca_interval_is_that_of_scipy() -> None:
    rng = np.random.default_rng(8)
    errors = rng.exponential(1.0, 80)
    labels, scores = np.zeros(80), errors
    ours = estimates(["rmse"], labels, scores, rng, resamples=8000)["rmse"]
    theirs = bootstrap(
        (errors,), lambda x, axis: np.sqrt(np.mean(x**2, axis=axis)), n_resamples=8000, method="BCa", rng=rng
    ).confidence_interval
    assert ours.low == pytest.approx(theirs.low, rel=0.03)
    assert ours.high == pytest.approx(theirs.high, rel=0.03)


@pytest.mark.slow
def test_bootstrap_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(9)
    covered = 0
    for _ in range(200):
        chance = rng.beta(2, 2, 150)
        labels = (rng.random(150) < chance).astype(np.int32)
        found = estimates(["brier"], labels, chance, rng, resamples=400)["brier"]
        covered += found.low <= 0.2 <= found.high  # E[p(1-p)] of Beta(2, 2)
    assert 0.9 <= covered / 200 <= 0.985


def test_all_metrics_of_a_task_come_with_ordered_intervals() -> None:
    labels, scores = binary(300)
    for one in estimates(METRICS["binary"], labels, scores, np.random.default_rng(0), resamples=200).values():
        assert one.low < one.value < one.high


def test_two_identical_models_differ_by_nothing_in_every_metric() -> None:
    labels, scores = binary(200)
    for test in paired_tests(METRICS["binary"], labels, scores, scores, np.random.default_rng(0)).values():
        assert (test.difference.value, test.difference.low, test.difference.high) == (0.0, 0.0, 0.0)
        assert test.p_value == 1.0


def test_a_clearly_better_model_is_told_from_a_worse_one_in_every_metric() -> None:
    labels, scores = binary(3000)
    worse = np.clip(scores + np.random.default_rng(1).normal(0, 0.3, 3000), 0.01, 0.99)
    for name, test in paired_tests(METRICS["binary"], labels, scores, worse, np.random.default_rng(0)).items():
        assert gain(name, test.difference.value) > 0
        assert test.p_value < 0.05
        assert test.difference.low * test.difference.high > 0


@pytest.mark.slow
@given(hnp.arrays(np.bool_, st.tuples(st.just(2), st.integers(1, 60))))
def test_mcnemar_is_the_exact_binomial_test_of_the_discordant_rows(pair: Array) -> None:
    won, lost = int((pair[0] & ~pair[1]).sum()), int((~pair[0] & pair[1]).sum())
    expected = binomtest(min(won, lost), won + lost).pvalue if won + lost else 1.0
    assert mcnemar(pair[0], pair[1]) == pytest.approx(expected)


def test_the_bootstraps_p_value_is_never_zero_and_never_above_one() -> None:
    assert two_sided(np.full(99, 1.0)) == pytest.approx(0.02)
    assert two_sided(np.zeros(99)) == 1.0
    assert np.isnan(two_sided(np.array([1.0, np.nan])))
