"""All metrics of a task at once: values with intervals, and paired differences with tests."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from pipeline.stats.auc import logit_interval
from pipeline.stats.bootstrap import bca, interval, resampled_means, two_sided
from pipeline.stats.measured import Floats, Measured, RowMeans
from pipeline.stats.metrics import Array, correct, measure, row_means
from pipeline.stats.orientation import MetricName

RESAMPLES = 1000
LEVEL = 0.95


@dataclass(frozen=True)
class Estimated:
    """A number with its confidence interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class PairedTest:
    """Candidate minus reference on the same rows; `p_value` of "no difference", two-sided."""

    difference: Estimated
    p_value: float
    test: str


def estimates(
    metrics: Sequence[MetricName],
    labels: Array,
    scores: Array,
    rng: np.random.Generator,
    *,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> dict[MetricName, Estimated]:
    """Each metric with its interval: DeLong's on the logit scale for the AUC, BCa from shared resamples for others."""
    statistics: dict[MetricName, RowMeans] = {
        name: row_means(name, labels, scores) for name in metrics if name != "auc"
    }
    found: dict[MetricName, Estimated] = {}
    for name, means in _resample(statistics, resamples, rng).items():
        value = statistics[name].measure().value
        found[name] = Estimated(value, *interval(statistics[name], means, level))
    if "auc" in metrics:
        area = measure("auc", labels, scores)
        found["auc"] = Estimated(area.value, *logit_interval(area, level))
    return {name: found[name] for name in metrics}


def paired_tests(
    metrics: Sequence[MetricName],
    labels: Array,
    candidate: Array,
    reference: Array,
    rng: np.random.Generator,
    *,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> dict[MetricName, PairedTest]:
    """Each metric's paired difference: DeLong for the AUC, exact McNemar for accuracy, else the paired bootstrap."""
    statistics: dict[MetricName, RowMeans] = {
        name: row_means(name, labels, candidate).minus(row_means(name, labels, reference))
        for name in metrics
        if name != "auc"
    }
    tests: dict[MetricName, PairedTest] = {}
    for name, means in _resample(statistics, resamples, rng).items():
        measured, replicates = statistics[name].measure(), statistics[name].combine(means)
        bounds = bca(measured.value, replicates, measured.influence, level)
        difference = Estimated(measured.value, *bounds)
        if name == "accuracy":
            p_value = mcnemar(correct(labels, candidate), correct(labels, reference))
            tests[name] = PairedTest(difference, p_value, "McNemar exact")
        else:
            tests[name] = PairedTest(difference, two_sided(replicates), "paired bootstrap")
    if "auc" in metrics:
        tests["auc"] = delong_paired(measure("auc", labels, candidate), measure("auc", labels, reference), level)
    return {name: tests[name] for name in metrics}


def delong_paired(candidate: Measured, reference: Measured, level: float = LEVEL) -> PairedTest:
    """Normal test of two correlated AUCs (DeLong 1988): the influences' difference carries the covariance."""
    difference = Measured(candidate.value - reference.value, candidate.influence - reference.influence)
    error = difference.standard_error
    reach = float(ndtri((1 + level) / 2)) * error
    bounds = Estimated(difference.value, difference.value - reach, difference.value + reach)
    if error > 0 or math.isnan(error):
        p_value = float(2 * ndtr(-abs(difference.value) / error))
    else:
        p_value = 1.0 if difference.value == 0 else 0.0
    return PairedTest(bounds, p_value, "DeLong")


def mcnemar(candidate: npt.NDArray[np.bool_], reference: npt.NDArray[np.bool_]) -> float:
    """Exact two-sided p-value from the rows only one of both got right: binomial with one half (McNemar 1947)."""
    won, lost = int(np.sum(candidate & ~reference)), int(np.sum(~candidate & reference))
    from scipy.stats import binomtest  # here: it takes a second to load

    return float(binomtest(won, won + lost, 0.5).pvalue) if won + lost else 1.0


def _resample(
    statistics: Mapping[MetricName, RowMeans], resamples: int, rng: np.random.Generator
) -> dict[MetricName, Floats]:
    """Means of every statistic's columns over the same draws of rows."""
    if not statistics:
        return {}
    together = resampled_means(np.hstack([one.columns for one in statistics.values()]), resamples, rng)
    edges = np.cumsum([one.columns.shape[1] for one in statistics.values()])[:-1]
    return dict(zip(statistics, np.split(together, edges, axis=1), strict=True))
