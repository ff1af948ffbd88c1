"""What a metric is in an arm, from sums over its units: means, ratios of means, and how two arms differ.

A unit is what was assigned. Requests of one unit are not independent, so they are added up by unit first, or the ratio
of two such sums is taken.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Sampled:
    """A number estimated from units."""

    value: float
    variance: float
    """Of the value: the square of its standard error. NaN or 0 where it is unknown."""
    units: int


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


def difference(treatment: Sampled, control: Sampled) -> Sampled:
    """Treatment minus control; the arms' units are different ones, so the variances add up."""
    units = treatment.units + control.units
    return Sampled(treatment.value - control.value, treatment.variance + control.variance, units)


def lift(treatment: Sampled, control: Sampled) -> Sampled:
    """(Treatment - control) / |control| by the delta method: variance v_t/c² + t²·v_c/c⁴. NaN where control is 0."""
    units, base = treatment.units + control.units, control.value
    if base == 0.0:
        return Sampled(math.nan, math.nan, units)
    variance = treatment.variance / base**2 + treatment.value**2 * control.variance / base**4
    return Sampled((treatment.value - base) / abs(base), variance, units)
