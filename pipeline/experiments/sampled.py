"""What a metric is in an arm, from sums over its units: means, ratios of means, and how two arms differ.

A unit is what was assigned. Requests of one unit are not independent, so they are added up by unit first, or the ratio
of two such sums is taken.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from pipeline.stats.measured import Floats

BORROWED: Final = 1000.0
"""Found by simulation: equal arms of 1 to 50 % of the units, rare hits and long tails are all told apart less often
than alpha, with looks from 100 units of the smaller arm on (`benchmarks/experiments.py`)."""


@dataclass(frozen=True)
class Sampled:
    """A number estimated from units."""

    value: float
    variance: float
    """Of the value: the square of its standard error. NaN or 0 where it is unknown."""
    units: int


@dataclass(frozen=True)
class Difference:
    """How two arms differ."""

    value: float
    variance: float
    units: int
    """Of both arms."""
    smaller: int
    """Units of the smaller arm."""


@dataclass(frozen=True)
class Moments:
    """Sufficient statistics of a number per unit: they merge, and no large sums cancel."""

    units: int = 0
    mean: float = 0.0
    squares: float = 0.0
    """Σ (x - mean)²."""

    @classmethod
    def of(cls, values: npt.ArrayLike) -> Moments:
        """Of `values` [n], one a unit."""
        x = np.asarray(values, dtype=np.float64)
        return cls(x.size, float(x.mean()), float(np.square(x - x.mean()).sum())) if x.size else cls()

    def plus(self, other: Moments) -> Moments:
        """Of the units of both (Chan, Golub & LeVeque 1979)."""
        units = self.units + other.units
        if not units:
            return self
        apart, weight = other.mean - self.mean, other.units / units
        squares = self.squares + other.squares + apart**2 * self.units * weight
        return Moments(units, self.mean + apart * weight, squares)

    def sampled(self) -> Sampled:
        """The mean, with s²/n."""
        scale = self.units * (self.units - 1)
        return Sampled(self.mean, self.squares / scale if scale else math.nan, self.units)


@dataclass(frozen=True)
class PairMoments:
    """Sufficient statistics of two numbers per unit: `over` and `under` the line of a ratio."""

    over: Moments = Moments()
    under: Moments = Moments()
    products: float = 0.0
    """Σ (x - mean)·(y - mean)."""

    @classmethod
    def of(cls, over: npt.ArrayLike, under: npt.ArrayLike) -> PairMoments:
        """Of two numbers a unit, [n] each."""
        x, y = np.asarray(over, dtype=np.float64), np.asarray(under, dtype=np.float64)
        return cls(Moments.of(x), Moments.of(y), float(np.sum((x - x.mean()) * (y - y.mean()))) if x.size else 0.0)

    def plus(self, other: PairMoments) -> PairMoments:
        """Of the units of both."""
        units = self.over.units + other.over.units
        if not units:
            return self
        apart = (other.over.mean - self.over.mean) * (other.under.mean - self.under.mean)
        products = self.products + other.products + apart * self.over.units * other.over.units / units
        return PairMoments(self.over.plus(other.over), self.under.plus(other.under), products)

    def sampled(self) -> Sampled:
        """x̄/ȳ by the delta method: variance (sₓₓ - 2R·sₓᵧ + R²·sᵧᵧ)/(n·ȳ²) (Deng, Knoblich & Lu 2018, KDD).

        Needs a ȳ that is far from 0 in standard errors; NaN at 0.
        """
        units, base = self.over.units, self.under.mean
        if units < 2 or base == 0.0:
            return Sampled(math.nan, math.nan, units)
        ratio = self.over.mean / base
        # Of perfectly proportional numbers the sum is 0, and rounding may leave it below.
        spread = max(0.0, self.over.squares - 2.0 * ratio * self.products + ratio**2 * self.under.squares)
        return Sampled(ratio, spread / ((units - 1) * units * base**2), units)


def difference(treatment: Sampled, control: Sampled, borrowed: float = BORROWED) -> Difference:
    """Treatment minus control; the arms' units are different ones, so the variances add up.

    Each is at least d²/n²: that of an arm in which one unit more has what the other arm's have. Where no unit of an arm
    differs from another it is all there is, and an interval without it would say nothing of the plainest difference.
    """
    apart = treatment.value - control.value
    arms = zip((treatment, control), _variances(treatment, control, borrowed), strict=True)
    variance = sum(max(own, (apart / arm.units) ** 2) if arm.units else own for arm, own in arms)
    return _apart(apart, variance, treatment, control)


def lift(treatment: Sampled, control: Sampled, borrowed: float = BORROWED) -> Difference:
    """(Treatment - control) / |control| by the delta method: variance v_t/c² + t²·v_c/c⁴. NaN where control is 0."""
    base = control.value
    if base == 0.0:
        return _apart(math.nan, math.nan, treatment, control)
    v_treated, v_control = _variances(treatment, control, borrowed)
    variance = v_treated / base**2 + treatment.value**2 * v_control / base**4
    return _apart((treatment.value - base) / abs(base), variance, treatment, control)


def steadied(
    spread: npt.ArrayLike,
    units: npt.ArrayLike,
    other_spread: npt.ArrayLike,
    other_units: npt.ArrayLike,
    borrowed: float,
) -> Floats:
    """The variance of an arm's unit, never taken for small by chance: arrays [...] → [...].

    s² of the arm, but at least its mean with `borrowed` units of the pooled s² of both arms. A small arm without a hit
    has no variance of its own, and would be told from control by that alone. Own is kept where it is larger, as an arm
    may truly vary more; with many units what is borrowed no longer counts, so limits for many units still hold.
    """
    n, m = (np.asarray(count, dtype=np.float64) - 1.0 for count in (units, other_units))
    own, other = (np.where(free > 0, each, 0.0) for free, each in ((n, spread), (m, other_spread)))
    n, m = np.maximum(n, 0.0), np.maximum(m, 0.0)
    pooled = (n * own + m * other) / np.maximum(n + m, 1.0)
    return np.asarray(np.maximum(own, (n * own + borrowed * pooled) / np.maximum(n + borrowed, 1.0)))


def _variances(treatment: Sampled, control: Sampled, borrowed: float) -> tuple[float, float]:
    """Of both values, steadied. NaN without units."""
    arms = ((treatment, control), (control, treatment))
    return tuple(  # type: ignore[return-value]
        float(steadied(a.variance * a.units, a.units, b.variance * b.units, b.units, borrowed)) / a.units
        if a.units
        else math.nan
        for a, b in arms
    )


def _apart(value: float, variance: float, treatment: Sampled, control: Sampled) -> Difference:
    units = treatment.units, control.units
    return Difference(value, variance, sum(units), min(units))
