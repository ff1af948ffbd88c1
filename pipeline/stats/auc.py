"""Area under the ROC curve by ranks, with DeLong's variance."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from pipeline.stats.measured import Floats, Measured
from pipeline.stats.ranks import ranked


def auc(positive: npt.ArrayLike, scores: npt.ArrayLike) -> float:
    """P(score of a positive > score of a negative), ties half (Mann-Whitney U / (m·n)). NaN with one class only.

    `positive` [n] truth values, `scores` [n]. O(n log n).
    """
    chosen = np.asarray(positive, dtype=bool)
    hits, misses = int(chosen.sum()), int((~chosen).sum())
    if not hits or not misses:
        return math.nan
    ranks = ranked(np.asarray(scores))
    return float((ranks[chosen].sum() - hits * (hits + 1) / 2) / (hits * misses))


def delong(positive: npt.ArrayLike, scores: npt.ArrayLike) -> Measured:
    """AUC with DeLong's structural components as influences (DeLong, DeLong & Clarke-Pearson 1988).

    With midranks (Sun & Xu 2014) V₁₀ᵢ = (rank among all - rank among positives) / n and V₀₁ⱼ = 1 - (rank among all -
    rank among negatives) / m. Scaled by √(m(m-1)) and √(n(n-1)) their squares add up to DeLong's variance, and
    differences of two influences to that of a paired difference. One row of a class: its variance is unknown (NaN).
    """
    chosen = np.asarray(positive, dtype=bool)
    values = np.asarray(scores)
    hits, misses = int(chosen.sum()), int((~chosen).sum())
    if not hits or not misses:
        return Measured(math.nan, np.full(len(chosen), math.nan))
    overall = ranked(values)
    above = (overall[chosen] - ranked(values[chosen])) / misses
    below = 1.0 - (overall[~chosen] - ranked(values[~chosen])) / hits
    area = float(above.mean())
    influence = np.empty(len(chosen))
    influence[chosen] = (above - area) / (math.sqrt(hits * (hits - 1)) or math.nan)
    influence[~chosen] = (below - area) / (math.sqrt(misses * (misses - 1)) or math.nan)
    return Measured(area, influence)


def one_against_rest(labels: npt.NDArray[np.int32], scores: Floats) -> Measured:
    """Macro mean of each class's AUC against all others (Provost & Domingos 2001), influences averaged alike.

    `labels` [n] class numbers, `scores` [n, k]. A class without a row has no area and is left out of the mean: of many
    classes a rare one is easily missing from a part or a window. NaN with one class only.
    """
    here = [kind for kind in range(scores.shape[1]) if (labels == kind).any()] or [0]  # of no row: not a number
    each = [delong(labels == kind, scores[:, kind]) for kind in here]
    return Measured(
        float(np.mean([one.value for one in each])),
        np.mean([one.influence for one in each], axis=0),
    )


def logit_interval(measured: Measured, level: float) -> tuple[float, float]:
    """Wald interval on the logit scale, which keeps to [0, 1] and covers better near 1 (Pepe 2003, §5.2).

    At an area of exactly 0 or 1 DeLong's variance is 0, and so is the interval's width.
    """
    area, error = measured.value, measured.standard_error
    if not 0.0 < area < 1.0 or not error > 0.0:
        return area, area
    centre = math.log(area / (1 - area))
    reach = float(ndtri((1 + level) / 2)) * error / (area * (1 - area))
    return _logistic(centre - reach), _logistic(centre + reach)


def _logistic(value: float) -> float:
    """1 / (1 + exp(-value)) without overflow on either side."""
    if value < 0:
        power = math.exp(value)
        return power / (1 + power)
    return 1 / (1 + math.exp(-value))
