"""Asymptotic confidence sequences: an interval for a difference that holds at all sample sizes at once."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from pipeline.experiments.sampled import Difference
from pipeline.stats.estimates import Estimated
from pipeline.stats.measured import Floats

TIGHTEST: Final = 5000
"""Units of both arms at which the interval is at its tightest, compared with one of a fixed size (GrowthBook's)."""
LEAST: Final = 100
"""Units of each arm below which nothing is said: the central limit theorem and the variance are not there yet."""


def interval(found: Difference, alpha: float, tightest: float = TIGHTEST) -> Estimated:
    """`found` [low, high]: at all times at once the truth lies inside with 1 - `alpha`, for many units.

    With fewer than LEAST units in an arm, or without any variance, nothing is known: [-∞, ∞].
    """
    reach = float(radius(found.variance, found.units, found.smaller, alpha, tightest))
    return Estimated(found.value, found.value - reach, found.value + reach)


def radius(
    variance: npt.ArrayLike, units: npt.ArrayLike, smaller: npt.ArrayLike, alpha: float, tightest: float = TIGHTEST
) -> Floats:
    """Half the width: √(N·v)·√(2(Nρ² + 1)/(N²ρ²)·ln(√(Nρ² + 1)/α)), from v [...] and N [...] → [...].

    v: `variance` of the difference, N: `units` of both arms, `smaller`: of the smaller (Waudby-Smith,
    Arbour, Sinha, Kennedy & Ramdas 2024, Annals of Statistics 52; equation 9 in arXiv 2103.06476v7).
    """
    v, n = np.asarray(variance, dtype=np.float64), np.asarray(units, dtype=np.float64)
    grown = np.maximum(n, 1.0) * mixing(alpha, tightest) ** 2
    reach = np.sqrt(v * 2.0 * (grown + 1.0) / grown * np.log(np.sqrt(grown + 1.0) / alpha))
    return np.where((np.asarray(smaller) >= LEAST) & (v > 0.0), reach, math.inf)


def log_e(found: Difference, alpha: float, tightest: float = TIGHTEST) -> float:
    """log E of "the true value is 0": ρ²·N·d²/(2v(Nρ² + 1)) - ½·ln(Nρ² + 1).

    It reaches ln(1/α) exactly when the interval of that α leaves 0 out.
    """
    if found.smaller < LEAST or not found.variance > 0.0:
        return 0.0
    grown = found.units * mixing(alpha, tightest) ** 2
    return grown * found.value**2 / (2.0 * found.variance * (grown + 1.0)) - 0.5 * math.log(grown + 1.0)


def mixing(alpha: float, tightest: float = TIGHTEST) -> float:
    """ρ = √((-2·ln α + ln(-2·ln α + 1)) / N*): the mixture that is tightest at N* units (ibid., equation 161)."""
    wanted = -2.0 * math.log(alpha)
    return math.sqrt((wanted + math.log(wanted + 1.0)) / tightest)
