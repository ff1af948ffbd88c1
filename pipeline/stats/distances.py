"""How far two distributions lie apart, from counts over the same cells. Defined for every input, None where unknown.

Of `reference` and `current` counts [k], p and q are the shares. Without rows on a side nothing is known.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.special import chdtrc, rel_entr

from pipeline.stats.measured import Floats

Counts = npt.NDArray[np.int64]
FLOOR: Final = 1e-4
"""Least share of a cell: keeps the logarithm finite where a cell is empty on one side."""


def psi(reference: npt.NDArray[Any], current: Counts) -> float:
    """Population stability index of two count vectors [k] over the same cells, minus what chance alone would give.

    PSI = Σ (p - q) ln(p / q) over shares p, q, each at least FLOOR. Without drift its expectation is about
    (k - 1)(1/n + 1/m) for n and m rows (Yurdakul 2018), so that is taken off; at least 0, at most 18.4. Cells empty on
    both sides do not count. 0 without rows on a side.
    """
    n, m = float(reference.sum()), int(current.sum())
    if n == 0 or m == 0:
        return 0.0
    used = (reference + current) > 0
    p = np.maximum(reference[used] / n, FLOOR)
    q = np.maximum(current[used] / m, FLOOR)
    by_chance = (int(used.sum()) - 1) * (1 / n + 1 / m)
    return max(0.0, float(((p - q) * np.log(p / q)).sum()) - by_chance)


def jensen_shannon(reference: npt.NDArray[Any], current: Counts) -> float | None:
    """√(½ KL(p‖m) + ½ KL(q‖m)), m = (p + q)/2, natural logarithm: in [0, √ln 2 = 0.8326] (Endres & Schindelin 2003).

    Chance alone gives about √((k - 1)(1/n + 1/m)/8).
    """
    shares = _shares(reference, current)
    if shares is None:
        return None
    middle = (shares[0] + shares[1]) / 2
    apart = sum(float(rel_entr(one, middle).sum()) for one in shares) / 2
    return math.sqrt(max(0.0, apart))


def hellinger(reference: npt.NDArray[Any], current: Counts) -> float | None:
    """√(½ Σ (√p - √q)²), in [0, 1] (Hellinger 1909): the same as √(1 - Σ√(pq)), without its cancellation."""
    shares = _shares(reference, current)
    if shares is None:
        return None
    return math.sqrt(min(1.0, float(np.square(np.sqrt(shares[0]) - np.sqrt(shares[1])).sum()) / 2))


def kolmogorov_smirnov(reference: Counts, current: Counts) -> float | None:
    """D = max |F - G| at the upper edges of ordered cells, in [0, 1]; below the true D by at most a cell's mass.

    Of two samples of n and m rows without drift, P(D > d) ≈ 2·exp(-2d²·nm/(n + m)) (Smirnov 1948).
    """
    shares = _shares(reference, current)
    return None if shares is None else min(1.0, float(np.abs(_above(*shares)).max()))


def wasserstein(
    reference: Counts, current: Counts, edges: Floats, tails: tuple[float, float], *, points: bool
) -> float | None:
    """W₁ = ∫ |F - G| dx in the column's unit (Vallender 1974); cells lie below, between and above `edges` [k - 1].

    `tails`: the integral below the first edge and above the last. `points`: the mass of a cell lies at its upper edge,
    so F - G is constant in between; otherwise it is taken for linear, which is off by at most Σ |p - q|·width.
    """
    shares = _shares(reference, current)
    if shares is None:
        return None
    if not len(edges):
        return 0.0
    apart = _above(*shares)[:-1]
    left, right = np.abs(apart[:-1]), np.abs(apart[1:])
    if points:
        heights = left
    else:
        total = left + right
        crossed = np.divide(np.square(left) + np.square(right), total, out=np.zeros_like(total), where=total > 0)
        heights = np.where(apart[:-1] * apart[1:] < 0, crossed, total) / 2
    return float((heights * np.diff(edges)).sum()) + sum(tails)


def chi_square(reference: npt.NDArray[Any], current: Counts) -> tuple[float, float] | None:
    """Pearson's statistic of homogeneity and its p-value: are both samples of one distribution?

    Σ (x - e)²/e over both rows of the table, e from its margins, with k - 1 degrees of freedom over cells that have a
    row (Pearson 1900; scipy.stats.chi2_contingency without correction). With many rows p says that any difference is
    real, not that it matters. (0, 1) where all rows share one cell.
    """
    n, m = float(reference.sum()), float(current.sum())
    if not n or not m:
        return None
    both = (reference + current).astype(np.float64)
    apart = np.square(reference * m - current * n)
    # Over both rows of the table at once: (x - e)²/e of a cell's two add up to (xm - yn)²/((x + y)nm).
    used = both > 0
    statistic = float((apart[used] / both[used]).sum()) / (n * m)
    freedom = int(used.sum()) - 1
    return (statistic, float(chdtrc(freedom, statistic))) if freedom else (0.0, 1.0)


def share_effect(reference: float, current: float) -> float:
    """Cohen's h of two shares, 2·asin√q - 2·asin√p, in [-π, π] (Cohen 1988, §6: 0.2 is small, 0.5 medium, 0.8 large).

    Its standard error is √(1/n + 1/m), whatever the shares: from 0 to 1 %, and from 50 to 60 %, are 0.2 both.
    """
    return 2 * math.asin(math.sqrt(current)) - 2 * math.asin(math.sqrt(reference))


def _shares(reference: npt.NDArray[Any], current: npt.NDArray[Any]) -> tuple[Floats, Floats] | None:
    n, m = reference.sum(), current.sum()
    return None if not n or not m else (reference / n, current / m)


def _above(p: Floats, q: Floats) -> Floats:
    """F - G at the upper edge of each cell."""
    return np.asarray(np.cumsum(p - q))
