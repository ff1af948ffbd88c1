"""Evidence that may be looked at any time: e-values, and what follows from them.

An e-process is a non-negative process whose expectation, at whatever moment one stops, is at most 1 if nothing is
wrong. So it ever reaches 1/α with a probability of at most α (Ville 1939), and looking after each request is free.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import logsumexp

from pipeline.stats.measured import Floats


def alarm(log_e: float, alpha: float) -> bool:
    """Whether the evidence has reached 1/α. Once true it stays true: the caller keeps that it happened."""
    return log_e >= -math.log(alpha)


def always_valid(log_e: float, previous: float = 1.0) -> float:
    """The p-value that holds at any stopping time: min(previous, 1/E) (Johari, Pekelis & Walsh 2022)."""
    return min(previous, math.exp(-log_e)) if log_e > 0 else min(previous, 1.0)


def log_mean(log_es: Sequence[float] | Floats, planned: int) -> float:
    """log of the mean of `planned` e-processes, of which those not begun yet are 1.

    A mean of e-processes is one (Vovk & Wang 2021), and never weaker than Bonferroni: if one reaches planned/α, the
    mean reaches 1/α.
    """
    waiting = planned - len(log_es)
    if waiting < 0:
        raise ValueError(f"{len(log_es)} e-processes, and only {planned} were planned")
    return float(logsumexp(np.r_[np.asarray(log_es, dtype=np.float64), np.zeros(waiting)]) - math.log(planned))
