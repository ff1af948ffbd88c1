"""The mixture sequential probability ratio test of a mean difference, for a variance that is known."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipeline.stats.measured import Floats


def log_e(difference: npt.ArrayLike, units: npt.ArrayLike, variance: float, *, tau: float, null: float = 0.0) -> Floats:
    """log Λ of "the mean difference is `null`": `difference` [...] of means, `units` [...] in each arm → [...].

    With V = 2σ²: ½·ln(V/(V + nτ²)) + n²τ²(d - d₀)² / (2V(V + nτ²)), the likelihood under differences drawn from N(d₀,
    τ²) over that under d₀ (Robbins 1970; Johari, Pekelis & Walsh 2022, Operations Research 70). `variance`: σ² of a
    unit, `tau`: the size of differences one hopes for. Exact for normal data of known variance, equal arms, each look
    at whole pairs; where the variance is estimated use `sequence`.
    """
    n, twice = np.asarray(units, dtype=np.float64), 2.0 * variance
    spread = twice + n * tau**2
    reach = (n * tau * (np.asarray(difference, dtype=np.float64) - null)) ** 2
    return np.asarray(0.5 * np.log(twice / spread) + reach / (2.0 * twice * spread))
