"""How far two distributions lie apart, from counts over the same cells: of many pairs of distributions at once.

Of a pair's `reference` and `current` counts, p and q are the shares. Without rows on a side nothing is known: NaN.
Every pair is summed for itself, so what it gives does not depend on what stands beside it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.special import chdtrc, rel_entr

from pipeline.stats.measured import Floats

Counts = npt.NDArray[np.int64]
FLOOR: Final = 1e-4
"""Least share of a cell: keeps the logarithm finite where a cell is empty on one side."""


@dataclass(frozen=True, eq=False)
class Pairs:
    """Of c pairs the counts, one pair after the other."""

    reference: npt.NDArray[Any]
    """[all cells]"""
    current: npt.NDArray[Any]
    """[all cells]"""
    starts: npt.NDArray[np.intp]
    """[c] first cell of each pair, which has one at least."""
    known_upto: npt.NDArray[Any] | None = None
    """[all cells] the reference's `upto`, where somebody has it already."""

    @classmethod
    def one(cls, reference: npt.NDArray[Any], current: npt.NDArray[Any]) -> Pairs:
        return cls(reference, current, np.zeros(1, np.intp))

    @cached_property
    def lengths(self) -> npt.NDArray[np.intp]:
        """[c] cells of each."""
        return np.diff(self.starts, append=len(self.reference))

    @cached_property
    def rows(self) -> tuple[Floats, Floats]:
        """[c] of each pair's reference, and of what is held against it; NaN where either is none."""
        n, m = (self.summed(one).astype(np.float64) for one in (self.reference, self.current))
        known = (n > 0) & (m > 0)
        return np.where(known, n, np.nan), np.where(known, m, np.nan)

    @cached_property
    def shares(self) -> tuple[Floats, Floats]:
        """[all cells]"""
        n, m = self.rows
        return self.reference / self.spread(n), self.current / self.spread(m)

    @cached_property
    def apart(self) -> Floats:
        """[all cells] F - G at the upper edge of each cell."""
        n, m = self.rows
        return np.asarray(self.reference_upto / self.spread(n) - self.current_upto / self.spread(m))

    @cached_property
    def reference_upto(self) -> npt.NDArray[Any]:
        """[all cells]"""
        return self.upto(self.reference) if self.known_upto is None else self.known_upto

    @cached_property
    def current_upto(self) -> npt.NDArray[Any]:
        """[all cells]"""
        return self.upto(self.current)

    def summed(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """[all cells] → [c]"""
        return np.asarray(np.add.reduceat(values, self.starts))

    def spread(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """[c] → [all cells]"""
        return np.repeat(values, self.lengths)

    def upto(self, counts: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """[all cells] sums within each pair up to and with each cell: of counts without any rounding."""
        whole = np.cumsum(counts)
        return np.asarray(whole - self.spread(whole[self.starts] - counts[self.starts]))


def psi(reference: npt.NDArray[Any], current: Counts) -> float:
    """`population_stability` of one pair; 0 without rows on a side."""
    return float(np.nan_to_num(population_stability(Pairs.one(reference, current))[0]))


def population_stability(pairs: Pairs) -> Floats:
    """Population stability index minus what chance alone would give, [c].

    PSI = Σ (p - q) ln(p / q) over shares p, q, each at least FLOOR. Without drift its expectation is about
    (k - 1)(1/n + 1/m) for n and m rows (Yurdakul 2018), so that is taken off; at least 0, at most 18.4. Cells empty on
    both sides do not count.
    """
    n, m = pairs.rows
    used = (pairs.reference + pairs.current) > 0
    p, q = (np.maximum(one, FLOOR) for one in pairs.shares)
    found = pairs.summed(np.where(used, (p - q) * np.log(p / q), 0.0))
    by_chance = (pairs.summed(used.astype(np.int64)) - 1) * (1 / n + 1 / m)
    return np.asarray(np.maximum(0.0, found - by_chance))


def jensen_shannon(pairs: Pairs) -> Floats:
    """√(½ KL(p‖m) + ½ KL(q‖m)), m = (p + q)/2, natural logarithm: in [0, √ln 2 = 0.8326] (Endres & Schindelin 2003).

    Chance alone gives about √((k - 1)(1/n + 1/m)/8). [c]
    """
    p, q = pairs.shares
    middle = (p + q) / 2
    apart = (pairs.summed(rel_entr(p, middle)) + pairs.summed(rel_entr(q, middle))) / 2
    return np.asarray(np.sqrt(np.maximum(0.0, apart)))


def hellinger(pairs: Pairs) -> Floats:
    """√(½ Σ (√p - √q)²), in [0, 1] (Hellinger 1909): the same as √(1 - Σ√(pq)), without its cancellation. [c]"""
    p, q = pairs.shares
    return np.asarray(np.sqrt(np.minimum(1.0, pairs.summed(np.square(np.sqrt(p) - np.sqrt(q))) / 2)))


def kolmogorov_smirnov(pairs: Pairs) -> Floats:
    """D = max |F - G| at the upper edges of ordered cells, in [0, 1]; below the true D by at most a cell's mass. [c]

    Of two samples of n and m rows without drift, P(D > d) ≈ 2·exp(-2d²·nm/(n + m)) (Smirnov 1948).
    """
    return np.asarray(np.minimum(1.0, np.maximum.reduceat(np.abs(pairs.apart), pairs.starts)))


def wasserstein(pairs: Pairs, widths: Floats, tails: Floats, inner: Floats, points: npt.NDArray[np.bool_]) -> Floats:
    """W₁ = ∫ |F - G| dx in the column's unit (Vallender 1974). [c]

    `widths` [all cells]: of each cell, 0 of a pair's outermost, which have no end; what lies there is in `tails` [c],
    the integral below the first edge and above the last. `points` [c]: the mass of a cell lies at its upper edge, so
    F - G is constant in between; otherwise it is taken for linear, which in a cell is off by (p + q)·width/2 at most.

    `inner` [c]: ∫ (F - G) dx between the first edge and the last, which the means tell exactly. What the cells give
    otherwise is shared among them (`_shared`): of rows that came into a wide cell between two modes, where the
    reference has hardly one, it is then known how far they moved, unless F and G cross there.
    """
    apart = pairs.apart
    before = np.empty_like(apart)
    before[1:] = apart[:-1]
    before[pairs.starts] = 0.0
    after = np.where(pairs.spread(points), before, apart) if points.any() else apart
    signed = (before + after) / 2 * widths
    found = np.abs(signed + _shared(pairs, widths, inner - pairs.summed(signed)))
    crossing = np.flatnonzero(before * after < 0)
    left, right = np.abs(before[crossing]), np.abs(after[crossing])
    found[crossing] += np.square(np.minimum(left, right)) / (left + right) * widths[crossing]
    return np.asarray(pairs.summed(found) + tails)


def _shared(pairs: Pairs, widths: Floats, off: Floats) -> Floats:
    """[all cells] what to expect of each cell's error, of which the sum is `off` [c].

    Of independent errors whose deviations are as (p + q)·width, the sum is shared as their squares are; no cell can be
    off by more than half of that.
    """
    p, q = pairs.shares
    may = (p + q) * widths
    squares = np.square(may)
    whole = pairs.summed(squares)
    share = np.divide(off, whole, out=np.zeros_like(whole), where=whole > 0)
    return np.asarray(np.clip(squares * pairs.spread(share), -may / 2, may / 2))


def chi_square(pairs: Pairs) -> tuple[Floats, Floats]:
    """Pearson's statistic of homogeneity and its p-value: are both samples of one distribution? [c] each

    Σ (x - e)²/e over both rows of the table, e from its margins, with k - 1 degrees of freedom over cells that have a
    row (Pearson 1900; scipy.stats.chi2_contingency without correction). With many rows p says that any difference is
    real, not that it matters. (0, 1) where all rows share one cell.
    """
    n, m = pairs.rows
    both = (pairs.reference + pairs.current).astype(np.float64)
    apart = np.square(pairs.reference * pairs.spread(m) - pairs.current * pairs.spread(n))
    # Over both rows of the table at once: (x - e)²/e of a cell's two add up to (xm - yn)²/((x + y)nm).
    used = both > 0
    statistic = pairs.summed(np.divide(apart, both, out=np.zeros_like(both), where=used)) / (n * m)
    freedom = pairs.summed(used.astype(np.int64)) - 1
    alone = freedom <= 0
    chances = chdtrc(np.maximum(freedom, 1), statistic)
    known = np.isfinite(n)
    return np.where(alone & known, 0.0, statistic), np.where(alone & known, 1.0, chances)


def share_effect(reference: float, current: float) -> float:
    """Cohen's h of two shares, 2·asin√q - 2·asin√p, in [-π, π] (Cohen 1988, §6: 0.2 is small, 0.5 medium, 0.8 large).

    Its standard error is √(1/n + 1/m), whatever the shares: from 0 to 1 %, and from 50 to 60 %, are 0.2 both.
    """
    return 2 * math.asin(math.sqrt(current)) - 2 * math.asin(math.sqrt(reference))
