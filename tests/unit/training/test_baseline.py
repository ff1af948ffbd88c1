"""The baseline and the temperature."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from pipeline.process.threads import threads_for
from pipeline.training.baseline import fit_baseline, most_rows
from pipeline.training.batches import Rows
from pipeline.training.calibrate import fit_temperature, likelihood
from pipeline.versions.signature import InputColumn, Signature, Task


def signature(task: Task, classes: list[str]) -> Signature:
    inputs = [
        InputColumn(name="a", kind="numeric"),
        InputColumn(name="b", kind="numeric"),
        InputColumn(name="word", kind="categorical", vocabulary=[f"w{i}" for i in range(300)]),
    ]
    return Signature(inputs=inputs, task=task, label="y", classes=classes)


def rows(task: Task, seed: int, count: int = 800) -> Rows:
    rng = np.random.default_rng(seed)
    numeric = rng.normal(size=(count, 2)).astype(np.float32)
    words = rng.integers(0, 302, size=(count, 1)).astype(np.int32)
    signal = numeric[:, 0] + (words[:, 0] % 2)
    numeric[rng.random(count) < 0.1, 1] = np.nan
    if task == "regression":
        return Rows(numeric, words, (10 * signal).astype(np.float32))
    if task == "multiclass":
        return Rows(numeric, words, np.digitize(signal, [0.0, 1.0]).astype(np.int32))
    return Rows(numeric, words, (signal > 0.5).astype(np.float32))


@pytest.mark.parametrize(
    ("task", "classes"), [("binary", ["0", "1"]), ("multiclass", ["a", "b", "c"]), ("regression", [])]
)
def test_the_baseline_learns_from_missing_values_and_hundreds_of_categories(task: Task, classes: list[str]) -> None:
    fitted = fit_baseline(rows(task, 0), rows(task, 1), signature(task, classes), seed=0)
    test = rows(task, 2)
    scores, target = fitted.scores(test), np.asarray(test.target)
    assert 0 < fitted.trees <= 300
    if task == "regression":
        assert np.mean((scores - target) ** 2) < 0.5 * np.var(target)
    elif task == "multiclass":
        assert scores.shape == (800, 3)
        assert np.mean(scores.argmax(axis=1) == target) > 0.6
    else:
        assert np.mean((scores > 0.5) == target) > 0.7


def test_the_baseline_is_the_same_each_time() -> None:
    one, other = (
        fit_baseline(rows("binary", 0), rows("binary", 1), signature("binary", ["0", "1"]), seed=3).scores(
            rows("binary", 2)
        )
        for _ in range(2)
    )
    np.testing.assert_array_equal(one, other)


def test_beyond_its_bound_the_baseline_learns_from_a_sample_and_knows_its_size() -> None:
    learner = signature("binary", ["0", "1"])
    whole = fit_baseline(rows("binary", 0), rows("binary", 1), learner, seed=3)
    one, other = (
        fit_baseline(rows("binary", 0), rows("binary", 1), learner, seed=3, most=200).scores(rows("binary", 2))
        for _ in range(2)
    )
    np.testing.assert_array_equal(one, other)
    assert whole.rows == 800
    assert fit_baseline(rows("binary", 0), rows("binary", 1), learner, seed=3, most=200).rows == 200
    assert (most_rows(20), most_rows(100), most_rows(10**6)) == (1_000_000, 500_000, 100_000)


def test_small_work_takes_one_thread_and_large_work_all() -> None:
    assert threads_for(100_000 * 25, 16) == 1
    assert threads_for(50_000_000, 16) == 5
    assert threads_for(10**10, 16) == 16


@pytest.mark.parametrize("factor", [0.5, 1.0, 2.0])
def test_the_temperature_undoes_wrong_confidence(factor: float) -> None:
    rng = np.random.default_rng(0)
    honest = rng.normal(size=20_000) * 2
    target = (rng.random(20_000) < expit(honest)).astype(np.float32)
    found = fit_temperature((honest * factor)[:, None, None], target)
    assert found == pytest.approx(factor, rel=0.08)


def test_the_likelihood_is_of_the_members_mean() -> None:
    logits = np.array([[[0.0], [2.0]]])
    expected = (0.5 + expit(2.0)) / 2
    assert likelihood(logits, np.array([1]))[0] == pytest.approx(expected)
    assert likelihood(logits, np.array([0]))[0] == pytest.approx(1 - expected)
    many = np.log(np.array([[[0.2, 0.3, 0.5], [0.6, 0.2, 0.2]]]))
    assert likelihood(many, np.array([2]))[0] == pytest.approx(0.35)
