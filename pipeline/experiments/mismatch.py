"""Sample-ratio mismatch: do the arms have the shares of units that were planned? If not, something loses units.

Such a loss is hardly ever the same in all arms, so nothing else of the comparison is to be trusted (Fabijan 2019).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import chdtrc, gammaln

from pipeline.stats.measured import Floats

CONCENTRATION: Final = 1000.0
"""Of the Dirichlet prior about the planned shares: tuned to deviations that a thousand units can show."""


def chi_square(counts: npt.ArrayLike, shares: npt.ArrayLike) -> float:
    """P-value of Pearson's test of `counts` [k] against planned `shares` [k]; for one look, not for many.

    Σ (xᵢ - n·θᵢ)² / (n·θᵢ) on k - 1 degrees of freedom. 1 without units. ValueError: see `log_e`.
    """
    seen, planned = np.asarray(counts, dtype=np.float64), _planned(shares)
    if not seen.sum():
        return 1.0
    due = seen.sum() * planned
    return float(chdtrc(len(seen) - 1, ((seen - due) ** 2 / due).sum()))


def log_e(counts: npt.ArrayLike, shares: npt.ArrayLike, concentration: float = CONCENTRATION) -> Floats:
    """log E of "units arrive by the planned shares": `counts` [..., k] of units so far, `shares` [k] → [...].

    The multinomial's likelihood under a Dirichlet(c·θ) mixture over that under θ (Lindon & Malek 2022, NeurIPS):
    lnΓ(c) - Σ lnΓ(c·θᵢ) + Σ lnΓ(c·θᵢ + xᵢ) - lnΓ(c + n) - Σ xᵢ·ln θᵢ. An e-process in the order of arrival, whatever
    the speed of it. ValueError if the shares are not positive or do not add up to 1: leave out arms without traffic.
    """
    seen, planned = np.asarray(counts, dtype=np.float64), _planned(shares)
    prior = concentration * planned
    mixed = gammaln(concentration) - gammaln(concentration + seen.sum(axis=-1))
    each = gammaln(prior + seen) - gammaln(prior) - seen * np.log(planned)
    return np.asarray(mixed + each.sum(axis=-1))


def _planned(shares: npt.ArrayLike) -> Floats:
    planned = np.asarray(shares, dtype=np.float64)
    if not (planned > 0).all() or abs(planned.sum() - 1.0) > 1e-9:
        raise ValueError(f"planned shares are positive and add up to 1, not {planned.tolist()}")
    return np.asarray(planned / planned.sum())
