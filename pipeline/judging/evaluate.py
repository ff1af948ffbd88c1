"""Gathering evidence: labels and scores of the test rows → numbers that gates can judge."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from pipeline.judging.evidence import (
    CalibrationBin,
    CalibrationFacts,
    Comparison,
    CurveFacts,
    Difference,
    Estimate,
    Evidence,
    Gap,
    LeakageFacts,
    LearningCurve,
    PartFacts,
    SliceFacts,
)
from pipeline.stats.calibration import error_by_chance, reliability, top_label
from pipeline.stats.discovery import corrected
from pipeline.stats.estimates import LEVEL, RESAMPLES, estimates, paired_tests
from pipeline.stats.measured import Measured
from pipeline.stats.metrics import LOSS, METRICS, Array, Task, measure
from pipeline.stats.orientation import MetricName, gain

SLICES_PER_COLUMN = 50
"""Values of a slicing column that are looked at, the most frequent first."""


@dataclass(frozen=True)
class ProductionScores:
    """Answers of the version in production to the candidate's test rows; None where it cannot answer, and why."""

    version: int
    scores: Array | None
    incomparable: str = ""


def gather_evidence(
    *,
    task: Task,
    objective: MetricName,
    labels: Array,
    scores: Array,
    baseline_scores: Array | None,
    production: ProductionScores | None,
    slices: Mapping[str, Array],
    parts: Mapping[str, tuple[Array, Array]],
    curve: LearningCurve,
    leakage: LeakageFacts | None,
    rng: np.random.Generator,
    drawn_from: Mapping[str, int | None] | None = None,
    baseline_rows: int | None = None,
) -> Evidence:
    """All evidence about a candidate. Pure but for `rng`, which draws the resamples.

    `labels` [n] of the test rows: class numbers, or values; `scores`: [n] P(class 1), [n, k] probabilities, or [n]
    values. `slices`: column → [n] values. `parts`: train, validate (and test) → (labels, scores) of the same weights.
    `drawn_from`: part → its rows, where the ones given are a sample; `baseline_rows`: that the baseline learned from,
    where they were one.
    """
    whole = drawn_from or {}
    metrics = estimates(METRICS[task], labels, scores, rng)
    return Evidence(
        task=task,
        objective=objective,
        rows=len(labels),
        metrics={name: Estimate(value=one.value, low=one.low, high=one.high) for name, one in metrics.items()},
        baseline=None
        if baseline_scores is None
        else compare(task, labels, scores, baseline_scores, rng, learned_from=baseline_rows),
        production=None if production is None else compare_with_production(task, labels, scores, production, rng),
        parts={name: _part(task, objective, *part, whole.get(name)) for name, part in parts.items()},
        gap=_gap(task, parts),
        curve=curve_facts(curve),
        calibration=None if task == "regression" else calibration_facts(labels, scores, rng),
        slices=slice_facts(objective, labels, scores, slices),
        leakage=leakage,
        constant=_against_constant(task, objective, labels, scores, parts, rng),
    )


def _against_constant(
    task: Task,
    objective: MetricName,
    labels: Array,
    scores: Array,
    parts: Mapping[str, tuple[Array, Array]],
    rng: np.random.Generator,
) -> Comparison | None:
    if "train" not in parts:
        return None
    return compare(task, labels, scores, constant_scores(task, objective, parts["train"][0], scores), rng)


def constant_scores(task: Task, objective: MetricName, known: Array, like: Array) -> Array:
    """The answer of somebody who knows only the labels `known` [m] of the training rows, in the shape of `like`.

    The classes' shares; of numbers the mean, or the median where the objective is the mean absolute error.
    """
    if task == "regression":
        return np.full(like.shape, np.median(known) if objective == "mae" else np.mean(known))
    if like.ndim == 1:
        return np.full(like.shape, np.mean(known == 1))
    shares = np.bincount(known.astype(np.int64), minlength=like.shape[1]) / len(known)
    return np.broadcast_to(shares, like.shape)


def compare(
    task: Task,
    labels: Array,
    scores: Array,
    reference: Array,
    rng: np.random.Generator,
    *,
    version: int | None = None,
    learned_from: int | None = None,
    resamples: int = RESAMPLES,
) -> Comparison:
    """Every metric of the task: the reference's value, and the paired difference to it."""
    tests = paired_tests(METRICS[task], labels, scores, reference, rng, resamples=resamples)
    return Comparison(
        version=version,
        learned_from=learned_from,
        metrics={name: measure(name, labels, reference).value for name in METRICS[task]},
        differences=[
            Difference(
                metric=name,
                difference=Estimate(value=one.difference.value, low=one.difference.low, high=one.difference.high),
                p_value=one.p_value,
                test=one.test,
                rows=len(labels),
            )
            for name, one in tests.items()
        ],
    )


def compare_with_production(
    task: Task,
    labels: Array,
    scores: Array,
    production: ProductionScores,
    rng: np.random.Generator,
    *,
    resamples: int = RESAMPLES,
) -> Comparison:
    """As `compare`, with the version's number; without scores the comparison says why there is none."""
    if production.scores is None:
        return Comparison(version=production.version, incomparable=production.incomparable)
    return compare(task, labels, scores, production.scores, rng, version=production.version, resamples=resamples)


def curve_facts(curve: LearningCurve) -> CurveFacts:
    """Best step as a share of the plan, and how far the validation loss had risen when training ended."""
    planned = curve.budget or max(curve.steps, default=0)
    losses = [loss for loss in curve.validation_loss if loss is not None]
    lowest = min(losses, default=math.nan)
    return CurveFacts(
        curve=curve,
        share_of_budget=curve.best_step / planned if planned else None,
        risen_after_best=(losses[-1] - lowest) / abs(lowest) if losses and lowest else None,
    )


def calibration_facts(labels: Array, scores: Array, rng: np.random.Generator) -> CalibrationFacts:
    """Reliability on equal-mass bins, with the error that chance alone would show."""
    forecast, happened = top_label(labels, scores)
    table = reliability(forecast, happened)
    return CalibrationFacts(
        error=table.error,
        by_chance=error_by_chance(forecast, rng),
        brier=measure("brier", labels, scores).value,
        table=[
            CalibrationBin(rows=int(rows), forecast=float(given), observed=float(seen))
            for rows, given, seen in zip(table.rows, table.forecast, table.observed, strict=True)
        ],
    )


def slice_facts(objective: MetricName, labels: Array, scores: Array, slices: Mapping[str, Array]) -> list[SliceFacts]:
    """Every slice against all test rows, corrected for their number."""
    whole = measure(objective, labels, scores)
    found = [
        _slice(objective, labels, scores, whole, column, value, chosen)
        for column, values in slices.items()
        for value, chosen in _frequent(values)
    ]
    adjusted = _corrected([one.p_value for one in found])
    return [one.model_copy(update={"adjusted": value}) for one, value in zip(found, adjusted, strict=True)]


def _slice(
    objective: MetricName, labels: Array, scores: Array, whole: Measured, column: str, value: str, chosen: Array
) -> SliceFacts:
    """The rows of the slice count in both values, so the difference's influences carry the covariance."""
    inside = measure(objective, labels[chosen], scores[chosen])
    influence = -whole.influence
    influence[chosen] += inside.influence
    difference = Measured(inside.value - whole.value, influence)
    drop, error = gain(objective, -difference.value), difference.standard_error
    return SliceFacts(
        column=column,
        value=value,
        rows=int(chosen.sum()),
        objective=inside.value,
        drop=drop,
        p_value=float(ndtr(-drop / error)) if error > 0 and not chosen.all() else None,
        adjusted=None,
    )


def _frequent(values: Array) -> list[tuple[str, Array]]:
    """The most frequent values of a slicing column as text, each with its rows [n]; missing is a value too."""
    text = np.array(["(missing)" if value is None or value != value else str(value) for value in values.tolist()])
    names, codes, counts = np.unique(text, return_inverse=True, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:SLICES_PER_COLUMN]
    return [(str(names[place]), codes == place) for place in order]


def _corrected(p_values: Sequence[float | None]) -> list[float | None]:
    """Benjamini & Hochberg 1995 over those that exist."""
    known = [value for value in p_values if value is not None]
    adjusted = iter(corrected(known).tolist() if known else [])
    return [None if value is None else next(adjusted) for value in p_values]


def _part(task: Task, objective: MetricName, labels: Array, scores: Array, drawn_from: int | None) -> PartFacts:
    return PartFacts(
        rows=len(labels),
        drawn_from=drawn_from,
        loss=measure(LOSS[task], labels, scores).value,
        objective=measure(objective, labels, scores).value,
    )


def _gap(task: Task, parts: Mapping[str, tuple[Array, Array]]) -> Gap | None:
    """1 - T/V with the delta method's interval: var ≈ (T/V)²·(var T/T² + var V/V²); the parts share no rows."""
    if "train" not in parts or "validate" not in parts:
        return None
    train, validation = (measure(LOSS[task], *parts[name]) for name in ("train", "validate"))
    if not validation.value > 0 or not train.value >= 0:
        return None
    ratio = train.value / validation.value
    error = math.hypot(train.standard_error / validation.value, ratio * validation.standard_error / validation.value)
    reach = float(ndtri((1 + LEVEL) / 2)) * error
    relative = Estimate(value=1 - ratio, low=1 - ratio - reach, high=1 - ratio + reach)
    return Gap(train=train.value, validation=validation.value, relative=relative)
