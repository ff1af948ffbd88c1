"""The bootstrap for statistics of means: thousands of resamples of tens of thousands of rows in a second.

scipy.stats.bootstrap evaluates the statistic on [resamples, n] copies, and its BCa on [n, n]; here a resample is a
vector of counts, so all statistics of all columns are one matrix product, and the jackknife has a closed form.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import ndtr, ndtri

from pipeline.stats.measured import Floats, RowMeans

_BATCH = 32
"""Resamples counted before a matrix product, at most: 32 x 30,000 counts are 8 MB."""
_COUNTS = 4_000_000
"""Counts held at once, at most, but for those of one resample."""


def resampled_means(columns: Floats, resamples: int, rng: np.random.Generator) -> Floats:
    """Means of each column [n, k] over `resamples` draws of n rows with replacement → [resamples, k]."""
    rows = len(columns)
    means = np.empty((resamples, columns.shape[1]))
    batch = max(1, min(_BATCH, _COUNTS // rows))
    for start in range(0, resamples, batch):
        size = min(batch, resamples - start)
        drawn = rng.integers(0, rows, size=(size, rows), dtype=np.int32)
        counts = np.stack([np.bincount(one, minlength=rows) for one in drawn]).astype(np.float64)
        means[start : start + size] = counts @ columns / rows
    return means


def bca(value: float, replicates: Floats, influence: Floats, level: float) -> tuple[float, float]:
    """Bias-corrected and accelerated interval (Efron 1987; Efron & Tibshirani 1993, §14.3).

    `replicates` [resamples] of the statistic, `influence` [n] of its rows (any scale). Falls back to the plain value
    where nothing varies. Percentiles: Φ(z₀ + (z₀ + z)/(1 - a(z₀ + z))), z₀ = Φ⁻¹(share below), a = Σu³/6(Σu²)^1.5.
    """
    if not math.isfinite(value) or not np.isfinite(replicates).all():
        return math.nan, math.nan
    if np.ptp(replicates) == 0.0:
        return value, value
    below = (np.mean(replicates < value) + np.mean(replicates <= value)) / 2
    bias = float(ndtri(np.clip(below, 0.5 / len(replicates), 1 - 0.5 / len(replicates))))
    spread = float(np.sum(influence**2)) ** 1.5
    acceleration = float(np.sum(influence**3)) / (6 * spread) if spread > 0 else 0.0
    tails = ndtri([(1 - level) / 2, (1 + level) / 2]) + bias
    shares = ndtr(bias + tails / (1 - acceleration * tails))
    low, high = np.quantile(replicates, shares)
    return float(low), float(high)


def interval(statistic: RowMeans, means: Floats, level: float) -> tuple[float, float]:
    """BCa interval of a statistic, given the resampled means of its columns."""
    measured = statistic.measure()
    return bca(measured.value, statistic.combine(means), measured.influence, level)


def two_sided(replicates: Floats) -> float:
    """P-value of "the difference is 0" by inverting the percentile interval: twice the smaller share beyond 0.

    One is added to both counts, so that it is never 0 (Davison & Hinkley 1997, §4.2). NaN if a replicate is.
    """
    if np.isnan(replicates).any():
        return math.nan
    total = len(replicates) + 1
    smaller = min(int(np.sum(replicates <= 0)), int(np.sum(replicates >= 0))) + 1
    return min(1.0, 2 * smaller / total)
