"""The least evidence that a version can have, for tests that are about something else."""

from __future__ import annotations

from pipeline.judging.evidence import CurveFacts, Estimate, Evidence, LearningCurve
from pipeline.stats.metrics import Task
from pipeline.stats.orientation import MetricName


def least_evidence(task: Task = "binary", objective: MetricName = "auc") -> Evidence:
    curve = LearningCurve(steps=[1], train_loss=[1.0], validation_loss=[1.0], best_step=1)
    return Evidence(
        task=task,
        objective=objective,
        rows=10,
        metrics={objective: Estimate(value=0.8, low=0.7, high=0.9)},
        baseline=None,
        production=None,
        parts={},
        gap=None,
        curve=CurveFacts(curve=curve, share_of_budget=1.0, risen_after_best=0.0),
        calibration=None,
        slices=[],
        leakage=None,
    )
