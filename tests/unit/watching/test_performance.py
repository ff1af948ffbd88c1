"""Performance with the labels that have come, and without any."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.stats.auc import auc
from pipeline.stats.measured import Floats
from pipeline.watching.cbpe import calibrate, expected
from pipeline.watching.performance import performance


def test_metrics_are_of_the_labelled_rows_and_say_how_many_those_are() -> None:
    labels, scores = np.array([1, 0, -1, 1]), np.array([0.9, 0.2, 0.5, 0.4])
    found = performance(["accuracy", "auc"], labels, scores, np.array([True, True, False, True]))
    assert (found.rows, found.labelled, found.coverage) == (4, 3, 0.75)
    assert found.metrics["accuracy"][0] == pytest.approx(2 / 3)
    assert found.metrics["auc"][0] == 1.0


def test_what_the_labels_do_not_define_is_left_out() -> None:
    one_class = performance(["auc", "accuracy"], np.array([1, 1]), np.array([0.9, 0.2]), np.array([True, True]))
    assert one_class.metrics.keys() == {"accuracy"}
    none = performance(["accuracy"], np.array([0, 0]), np.array([0.9, 0.2]), np.array([False, False]))
    assert (none.coverage, none.metrics) == (0.0, {})
    empty = performance(["accuracy"], np.zeros(0), np.zeros(0), np.zeros(0, np.bool_))
    assert empty.coverage is None


def brute(chances: Floats, scores: Floats) -> float:
    """Expected pairs in the right order over expected pairs, one by one."""
    right = pairs = 0.0
    for i in range(len(scores)):
        for j in range(len(scores)):
            if i != j:
                weight = chances[i] * (1 - chances[j])
                pairs += weight
                right += weight * (1.0 if scores[i] > scores[j] else 0.5 if scores[i] == scores[j] else 0.0)
    return right / pairs


def test_the_expected_auc_is_that_of_all_pairs() -> None:
    rng = np.random.default_rng(0)
    chances, scores = rng.random(60), rng.integers(0, 12, 60) / 12
    assert expected(chances, scores).auc == pytest.approx(brute(chances, scores), abs=1e-12)


def test_the_expected_confusion_is_the_mean_of_many_simulations() -> None:
    rng = np.random.default_rng(1)
    chances = rng.beta(2, 3, 400)
    outcomes = rng.random((4000, 400)) < chances
    found, yes = expected(chances, chances), chances >= 0.5
    assert found.true_yes == pytest.approx(outcomes[:, yes].sum(axis=1).mean(), abs=0.5)
    assert found.false_no == pytest.approx(outcomes[:, ~yes].sum(axis=1).mean(), abs=0.5)
    assert found.accuracy == pytest.approx((outcomes == yes).mean(), abs=1e-3)
    assert found.accuracy == pytest.approx(np.maximum(chances, 1 - chances).mean())
    areas = [auc(one, chances) for one in outcomes[:400]]
    assert found.auc == pytest.approx(np.mean(areas), abs=0.004)


def world(rng: np.random.Generator, rows: int, centre: float) -> tuple[Floats, Floats]:
    """Scores of a model that is too sure of itself, and what happened; `centre` moves the cases, not the question."""
    x = rng.normal(centre, 1.5, rows)
    happened = rng.random(rows) < 1 / (1 + np.exp(-x))
    return 1 / (1 + np.exp(-2.5 * x)), happened.astype(np.float64)


def test_the_estimate_follows_what_truly_happens_when_other_cases_come() -> None:
    rng = np.random.default_rng(2)
    calibration = calibrate(*world(rng, 50_000, 0.0))
    errors = []
    for centre in np.linspace(-1, 1, 12):
        for _ in range(3):
            scores, happened = world(rng, 5000, centre)
            truth = auc(happened == 1, scores)
            estimate = expected(calibration(scores), scores).auc
            assert estimate is not None
            errors.append(estimate - truth)
    assert abs(np.mean(errors)) < 0.008  # of which most is chance in the calibration
    assert np.mean(np.abs(errors)) < 0.012  # and here in 5,000 labels


def test_one_class_and_no_rows_have_no_expected_auc() -> None:
    assert expected(np.ones(3), [0.1, 0.2, 0.3]).auc is None
    assert expected(np.zeros(0), []).auc is None
    assert expected(np.zeros(0), []).accuracy is None
    assert expected(np.array([0.5]), [0.5]).auc is None
