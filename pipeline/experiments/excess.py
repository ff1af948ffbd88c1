"""Does one arm have too many events of a kind: errors, or answers slower than promised?

The question is turned round: given that an event happened, in which arm did it? Under equal rates that is a coin with
the arms' shares of traffic, however the load and the rate change over the day. The coin needs events that are
independent of each other: with units assigned, count the units that had an event, each once, or one that fails over and
over is taken for many.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import betaincc, betaln, xlog1py, xlogy

from pipeline.stats.estimates import Estimated
from pipeline.stats.measured import Floats

NEARLY_NONE: Final = 1e-9
"""Stands for no event where a logarithm is taken."""


def log_e(treated: npt.ArrayLike, control: npt.ArrayLike, share: float, tolerated: float = 1.0) -> Floats:
    """log E of "the treatment's rate is at most `tolerated` times control's", from counts of events [...] → [...].

    `share`: the treatment's of the traffic of both, in (0, 1). With θ₀ = r·share / (r·share + 1 - share) a Beta(1,
    (1 - θ₀)/θ₀) mixture over the coins above θ₀ is held against θ₀: the two-arm case of Lindon & Malek (2022), cut to
    one side, B(a + x, b + y)/B(a, b) · P(θ > θ₀ | x, y)/P(θ > θ₀) / (θ₀ˣ·(1 - θ₀)ʸ). Each coin above θ₀ bets against
    every one up to θ₀, so this is an e-process for all rates that are tolerated, not only for the largest.
    """
    hits, rest = np.asarray(treated, dtype=np.float64), np.asarray(control, dtype=np.float64)
    null = tolerated_coin(share, tolerated)
    a, b = 1.0, (1.0 - null) / null
    with np.errstate(divide="ignore"):
        # -∞ where the treatment has so few events that nothing of the mixture is left: E is far below 1 there.
        cut = np.log(betaincc(a + hits, b + rest, null)) - math.log(betaincc(a, b, null))
    return np.asarray(betaln(a + hits, b + rest) - betaln(a, b) - xlogy(hits, null) - xlog1py(rest, -null) + cut)


def rate_ratio(treated: int, control: int, share: float, alpha: float) -> Estimated:
    """The treatment's rate over control's, with an interval that holds at all times at once with 1 - `alpha`.

    All coins that a Beta(1, (1 - s)/s) mixture does not outbid by 1/α (the confidence sequence of Lindon & Malek
    2022); a coin θ is a ratio of θ/(1 - θ)·(1 - s)/s. Without events nothing is known: NaN in [0, ∞].
    """
    null = tolerated_coin(share)
    if treated + control == 0:
        return Estimated(math.nan, 0.0, math.inf)
    a, b = 1.0, (1.0 - null) / null
    mixed = float(betaln(a + treated, b + control) - betaln(a, b)) + math.log(alpha)

    def outbid(log_odds: float) -> float:
        """Above 0 if the mixture outbids the coin, below at the best coin. In log-odds: a coin may come close to 1."""
        return mixed + float(treated * np.logaddexp(0.0, -log_odds) + control * np.logaddexp(0.0, log_odds))

    best = math.log(treated or NEARLY_NONE) - math.log(control or NEARLY_NONE)
    low = _edge(outbid, best, -1.0) if treated else -math.inf
    high = _edge(outbid, best, 1.0) if control else math.inf
    value, odds = treated / control if control else math.inf, null / (1.0 - null)
    return Estimated(value / odds, *(_exp(edge) / odds for edge in (low, high)))


def _edge(outbid: Callable[[float], float], best: float, side: float) -> float:
    """The log-odds beyond `best` on that side from which on coins are outbid."""
    reach = 1.0
    while outbid(best + side * reach) <= 0.0:
        reach *= 2.0
    return float(brentq(outbid, best, best + side * reach))


def _exp(log_odds: float) -> float:
    return math.exp(log_odds) if log_odds < 700.0 else math.inf


def rate_lift(treated: int, control: int, share: float, alpha: float) -> Estimated:
    """How much higher the treatment's rate is, as a share of control's: `rate_ratio` - 1, the unit of a guardrail."""
    found = rate_ratio(treated, control, share, alpha)
    return Estimated(found.value - 1.0, found.low - 1.0, found.high - 1.0)


def tolerated_coin(share: float, tolerated: float = 1.0) -> float:
    """P(an event is the treatment's) where its rate is `tolerated` times control's."""
    if not (0.0 < share < 1.0 and tolerated > 0.0):
        raise ValueError(f"a share lies between 0 and 1 and a tolerated ratio above 0, not {share} and {tolerated}")
    return tolerated * share / (tolerated * share + 1.0 - share)
