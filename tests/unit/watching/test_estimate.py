"""Metrics without labels: of classes and of numbers, with intervals, and as documents."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline.stats.auc import auc
from pipeline.stats.measured import Floats
from pipeline.stats.metrics import measure
from pipeline.watching.cbpe import expected
from pipeline.watching.errormodel import estimated_error, fit_error_model
from pipeline.watching.estimate import METRICS, Estimator, estimate_assessed, estimated, fit_estimator
from pipeline.watching.heldout import HeldOut
from pipeline.watching.shortfall import Valued
from tests.unit.watching.log import plain


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def world(draw: np.random.Generator, rows: int, centre: float = 0.0) -> tuple[Any, Floats]:
    """Labels, and scores of a model that is too sure; `centre` moves the cases, not the question."""
    x = draw.normal(centre, 1.5, rows)
    return (draw.random(rows) < 1 / (1 + np.exp(-x))).astype(np.int32), 1 / (1 + np.exp(-2.0 * x))


def classes(draw: np.random.Generator, rows: int, centre: float = 0.0) -> tuple[Any, Floats]:
    x = draw.normal(centre, 1, (rows, 2))
    logits = np.column_stack([np.zeros(rows), x])
    truth = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = (draw.random(rows)[:, None] > np.cumsum(truth, axis=1)).sum(axis=1)
    said = np.exp(1.5 * logits) / np.exp(1.5 * logits).sum(axis=1, keepdims=True)
    return labels.astype(np.int32), said


@pytest.mark.parametrize("make", [world, classes])
def test_each_metric_is_what_labels_turn_out_to_say_of_other_cases(make: Any) -> None:
    estimator = fit_estimator("binary" if make is world else "multiclass", *make(rng(1), 40_000))
    labels, scores = make(rng(2), 40_000, 0.6)
    found = estimated(estimator, scores)
    assert found.keys() == set(METRICS)
    for name, one in found.items():
        truth = measure(name, labels, scores).value
        # At the ends chances are those of few rows, and there a too sure score costs much of log_loss; and of many
        # classes each is calibrated alone.
        assert one.value == pytest.approx(truth, abs=0.01 if make is world and name != "log_loss" else 0.02), name
        assert one.low < one.value < one.high


@pytest.mark.slow
def test_the_interval_covers_what_comes_when_labels_come() -> None:
    covered = dict.fromkeys(METRICS, 0)
    for seed in range(100):
        draw = rng(seed)
        estimator = fit_estimator("binary", *world(draw, 3000))
        labels, scores = world(draw, 1000, 0.3)
        for name, one in estimated(estimator, scores).items():
            covered[name] += one.low <= measure(name, labels, scores).value <= one.high
    assert all(86 <= many <= 100 for many in covered.values()), covered


@pytest.mark.slow
def test_the_error_of_the_expected_auc_is_that_of_many_simulations() -> None:
    draw = rng(3)
    chances = draw.beta(1, 3, 500)
    scores = np.round(chances + draw.normal(0, 0.1, 500), 1)  # with ties
    areas = [auc(draw.random(500) < chances, scores) for _ in range(4000)]
    found = expected(chances, scores)
    assert found.auc_error == pytest.approx(np.std(areas), rel=0.05)
    assert found.auc == pytest.approx(np.mean(areas), abs=0.002)


def test_means_over_rows_have_the_mean_and_error_of_many_simulations() -> None:
    draw = rng(4)
    labels, scores = classes(draw, 5000)
    estimator = fit_estimator("multiclass", labels, scores)
    window = classes(draw, 300)[1]
    raw = np.stack([one(window[:, place]) for place, one in enumerate(estimator.maps)], axis=1)
    chances = raw / raw.sum(axis=1, keepdims=True)
    drawn = (draw.random((3000, 300, 1)) > np.cumsum(chances, axis=1)).sum(axis=2)
    bare = Estimator(task="multiclass", maps=estimator.maps, rows=5000)
    for name in ("log_loss", "accuracy", "brier"):
        values = [measure(name, one, window).value for one in drawn]
        one = estimated(bare, window)[name]
        assert one.value == pytest.approx(np.mean(values), rel=0.01)
        assert one.error == pytest.approx(np.std(values), rel=0.06)


def test_an_estimator_is_a_plain_document_and_comes_back_the_same() -> None:
    estimator = fit_estimator("multiclass", *classes(rng(5), 2000))
    back = Estimator.from_document(plain(estimator.document()))
    scores = classes(rng(6), 500)[1]
    assert estimated(back, scores) == estimated(estimator, scores)


def test_no_rows_one_class_and_a_regression() -> None:
    estimator = fit_estimator("binary", *world(rng(7), 2000))
    assert estimated(estimator, np.zeros(0)) == {}
    one_class = fit_estimator("binary", np.ones(50, np.int32), rng(8).random(50))
    assert "auc" not in estimated(one_class, rng(9).random(50))
    with pytest.raises(ValueError, match="errormodel"):
        fit_estimator("regression", np.zeros(5), np.zeros(5))


def test_an_estimate_is_judged_as_a_measured_value_is() -> None:
    estimator = fit_estimator("binary", *world(rng(10), 20_000))
    before = Valued(value=estimated(estimator, world(rng(11), 5000)[1])["auc"].value, error=0.003)
    hard = estimated(estimator, 0.5 + (world(rng(12), 5000)[1] - 0.5) / 4)
    told = estimate_assessed("auc", before, hard, 5000, 0.02)
    assert (told.answer, told.subject) == ("found", "auc (estimated)")
    assert "of 5,000 rows without labels" in told.reason
    assert "no label says so yet" in told.suggestion
    few = estimate_assessed("auc", before, hard, 40, 0.02)
    assert few.reason == "40 rows were answered in this window, and at least 500 are needed"
    assert estimate_assessed("auc", None, hard, 4000, 0.02).reason == "the version's evidence has no auc"
    assert estimate_assessed("r2", before, hard, 4000, 0.02).reason == "r2 cannot be estimated without labels"


def numbers(draw: np.random.Generator, rows: int, far: float = 0.5) -> HeldOut:
    """An error that is small for one carrier, and grows with the distance for the other; `far`: share of that."""
    carrier = np.where(draw.random(rows) < far, "far", "near")
    distance = draw.uniform(1, 5, rows)
    answers = 10 * distance
    labels = answers + draw.normal(0, np.where(carrier == "far", 2 * distance, 0.5))
    columns = pa.table({"carrier": carrier, "distance": pa.array(distance, pa.float32())})
    return HeldOut(columns=columns, labels=labels, scores=answers)


@pytest.mark.slow
def test_the_error_of_numbers_is_what_labels_turn_out_to_say_of_other_cases() -> None:
    model = fit_error_model(numbers(rng(1), 8000), {"carrier": "categorical", "distance": "numeric"}, 0)
    assert model is not None
    covered = 0
    for seed, far in enumerate([0.1, 0.5, 0.9] * 6):
        window = numbers(rng(100 + seed), 2000, far)
        found = estimated_error(model, window.columns, window.scores)
        for name in ("mae", "rmse"):
            truth = measure(name, window.labels, window.scores).value
            one = found[name]
            assert one.value == pytest.approx(truth, rel=0.12), (name, far)
            covered += one.low <= truth <= one.high
    assert covered >= 30  # of 36
    assert estimated_error(model, numbers(rng(2), 5).columns.slice(0, 0), np.zeros(0)) == {}
    again = fit_error_model(numbers(rng(1), 8000), {"carrier": "categorical", "distance": "numeric"}, 0)
    assert again is not None
    assert estimated_error(again, window.columns, window.scores) == found


def test_few_rows_and_answers_without_any_error_make_no_model() -> None:
    assert fit_error_model(numbers(rng(1), 50), {"carrier": "categorical", "distance": "numeric"}, 0) is None
    right = numbers(rng(1), 500)
    right = HeldOut(columns=right.columns, labels=right.scores, scores=right.scores)
    assert fit_error_model(right, {"carrier": "categorical", "distance": "numeric"}, 0) is None
