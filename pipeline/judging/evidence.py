"""Evidence: what is known about a candidate, as plain numbers. Gates judge by it alone; it is kept with the version.

Types only; `pipeline.judging.evaluate` gathers it from rows. JSON knows no NaN: a number that does not exist is None.
"""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict

from pipeline.stats.metrics import Task
from pipeline.stats.orientation import MetricName


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


Number = Annotated[float | None, BeforeValidator(_finite)]
"""A float, or None for one that does not exist (the AUC of one class, a loss that overflowed)."""


class Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Estimate(Fact):
    """A value with its confidence interval."""

    value: Number
    low: Number
    high: Number
    level: float = 0.95


class Difference(Fact):
    """Candidate minus reference on the same rows, in the metric's own unit and sign."""

    metric: MetricName
    difference: Estimate
    p_value: Number
    """Two-sided, of "there is no difference"."""
    test: str
    rows: int


class Comparison(Fact):
    """The same rows, answered by a reference: the baseline, the version in production, or always the same."""

    version: int | None = None
    """None: the baseline, or the constant answer."""
    metrics: dict[MetricName, Number] = {}
    differences: list[Difference] = []
    incomparable: str = ""
    """Why the reference could not answer these rows; then there are no numbers."""
    learned_from: int | None = None
    """Rows that the reference was trained on, where they were a sample of the training rows."""

    def of(self, metric: MetricName) -> Difference | None:
        return next((one for one in self.differences if one.metric == metric), None)


class PartFacts(Fact):
    """One of train, validate and test."""

    rows: int
    drawn_from: int | None = None
    """Rows of the whole part, where `rows` are a sample of it."""
    loss: Number
    """log_loss, or rmse of a regression."""
    objective: Number


class Gap(Fact):
    """(validation loss - train loss) / validation loss of the chosen weights, with its interval."""

    train: Number
    validation: Number
    relative: Estimate


class LearningCurve(Fact):
    """Losses at the evaluations, in order, and the optimiser step whose weights were kept."""

    steps: list[int]
    train_loss: list[Number]
    validation_loss: list[Number]
    best_step: int
    budget: int | None = None
    """Planned optimiser steps; None: the last evaluation was the end of the plan."""


class CurveFacts(Fact):
    """What the learning curve says about the end of training."""

    curve: LearningCurve
    share_of_budget: Number
    """Best step / planned steps; near 1 means that training stopped too early."""
    risen_after_best: Number
    """(last validation loss - best) / best: how far it had begun to overfit before it was stopped."""


class CalibrationBin(Fact):
    rows: int
    forecast: float
    """Mean probability given."""
    observed: float
    """Share that happened."""


class CalibrationFacts(Fact):
    error: float
    """Expected calibration error, 15 equal-mass bins."""
    by_chance: float
    """The 95 % quantile of that error for a perfectly calibrated model on these rows."""
    brier: float
    table: list[CalibrationBin]


class SliceFacts(Fact):
    """The rows with one value of a column, against all test rows."""

    column: str
    value: str
    rows: int
    objective: Number
    drop: Number
    """How much worse than on all test rows, in the objective's unit; negative: better."""
    p_value: Number
    """One-sided, of "not worse than on all test rows"."""
    adjusted: Number
    """The p-value after Benjamini-Hochberg over all slices that have one."""


class LeakageFacts(Fact):
    """Signs that the label, or the test rows, were known to the training."""

    duplicate_share: float
    """Share of test rows whose features and label are those of a training row."""
    duplicate_share_by_chance: float
    """What is to be expected of that from the features' own frequencies (few coarse categories meet again)."""
    single_feature_auc: dict[str, float]
    """How well each feature alone predicts the label of the test rows, best first."""
    adversarial_auc: Number
    """How well training and test rows can be told apart: 0.5 not at all. Information: time splits always show some."""


class Evidence(Fact):
    task: Task
    objective: MetricName
    rows: int
    """Test rows that were judged; `parts["test"].drawn_from` says of how many."""
    metrics: dict[MetricName, Estimate]
    """On the test rows."""
    baseline: Comparison | None
    production: Comparison | None
    """None: nothing was in production."""
    parts: dict[str, PartFacts]
    gap: Gap | None
    curve: CurveFacts
    calibration: CalibrationFacts | None
    slices: list[SliceFacts]
    leakage: LeakageFacts | None
    constant: Comparison | None = None
    """Against the constant answer that the training rows' labels suggest (`evaluate.constant_scores`)."""
