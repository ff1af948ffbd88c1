"""Planted cases for the gate of chance: who learnt nothing does not pass, however bad the baseline is."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.config.models import Gates
from pipeline.judging.evaluate import constant_scores, gather_evidence
from pipeline.judging.evidence import LearningCurve
from pipeline.judging.gates import GateResult, judge
from pipeline.stats.metrics import METRICS, Task
from pipeline.stats.orientation import MetricName
from tests.thorough import repeats

Array = npt.NDArray[Any]
CURVE = LearningCurve(steps=[1], train_loss=[0.5], validation_loss=[0.5], best_step=1, budget=2)
ROWS = 600


def labels_of(task: Task, rng: np.random.Generator) -> Array:
    if task == "regression":
        numbers: Array = rng.gamma(2.0, size=ROWS)
        return numbers
    shares = {"binary": [0.7, 0.3], "multiclass": [0.5, 0.3, 0.2]}[task]
    classes: Array = rng.choice(len(shares), ROWS, p=shares)
    return classes


def knowing(task: Task, labels: Array, rng: np.random.Generator) -> Array:
    """Answers of one who knows something, with much noise."""
    if task == "regression":
        return np.asarray(np.mean(labels) + 0.5 * (labels - np.mean(labels)) + rng.normal(0, 0.3, ROWS))
    if task == "binary":
        return np.clip(0.3 + 0.4 * (labels - 0.3) + rng.normal(0, 0.1, ROWS), 0.01, 0.99)
    chances = np.array([0.5, 0.3, 0.2]) + 0.9 * np.eye(3)[labels] + rng.uniform(0, 0.3, (ROWS, 3))
    shares: Array = chances / chances.sum(axis=1, keepdims=True)
    return shares


def chance(task: Task, objective: MetricName, train: Array, test: Array, scores: Array) -> GateResult:
    evidence = gather_evidence(
        task=task,
        objective=objective,
        labels=test,
        scores=scores,
        baseline_scores=None,
        production=None,
        slices={},
        parts={"train": (train, scores)},
        curve=CURVE,
        leakage=None,
        rng=np.random.default_rng(0),
    )
    return next(gate for gate in judge(evidence, Gates()).gates if gate.gate == "chance")


CASES: list[tuple[Task, MetricName]] = [(task, name) for task, names in METRICS.items() for name in names]


@pytest.mark.parametrize(("task", "objective"), CASES)
def test_who_always_answers_the_same_does_not_pass(task: Task, objective: MetricName) -> None:
    """As a model on a constant column alone; its baseline does the same and is matched."""
    rng = np.random.default_rng(1)
    train, test = labels_of(task, rng), labels_of(task, rng)
    like = knowing(task, test, rng)
    result = chance(task, objective, train, test, constant_scores(task, objective, train, like))
    assert result.outcome == "fail", result.reason
    assert result.value is not None


@pytest.mark.parametrize(("task", "objective"), CASES)
def test_who_knows_something_passes(task: Task, objective: MetricName) -> None:
    rng = np.random.default_rng(2)
    train, test = labels_of(task, rng), labels_of(task, rng)
    result = chance(task, objective, train, test, knowing(task, test, rng))
    assert result.outcome == "pass", result.reason


@pytest.mark.slow
def test_answers_that_have_nothing_to_do_with_the_question_rarely_pass() -> None:
    rng = np.random.default_rng(3)
    passed = [
        chance("binary", "auc", labels_of("binary", rng), labels_of("binary", rng), rng.random(ROWS)).outcome == "pass"
        for _ in range(repeats(60, 200))
    ]
    assert np.mean(passed) <= 0.05


def test_the_constant_answer_is_what_the_training_labels_suggest() -> None:
    numbers = np.array([1.0, 2.0, 9.0])
    assert constant_scores("regression", "rmse", numbers, np.zeros(2)).tolist() == [4.0, 4.0]
    assert constant_scores("regression", "mae", numbers, np.zeros(2)).tolist() == [2.0, 2.0]
    assert constant_scores("binary", "auc", np.array([0, 0, 0, 1]), np.zeros(1)).tolist() == [0.25]
    many = constant_scores("multiclass", "log_loss", np.array([0, 0, 1, 1]), np.zeros((1, 3)))
    assert many.tolist() == [[0.5, 0.5, 0.0]]
