"""Group-sequential limits: a fixed number of looks, equally spaced, decided upon before the first.

For those who look once a week: narrower than what may be looked at any time, and void once somebody looks between.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from pipeline.stats.measured import Floats

Shape = Literal["o'brien-fleming", "pocock"]
"""Strict at first and nearly usual at last, or equally strict at each look."""


def limits(looks: int, alpha: float, shape: Shape) -> Floats:
    """|z| that each look [looks] has to exceed, so that any of them does by chance with `alpha`, two-sided.

    C·√(K/k) (O'Brien & Fleming 1979) or C (Pocock 1977), with C found by `crossing`.
    """
    if looks < 1 or not 0.0 < alpha < 1.0:
        raise ValueError(f"at least one look and an alpha between 0 and 1 are needed, not {looks} and {alpha}")
    form = np.ones(looks) if shape == "pocock" else np.sqrt(looks / np.arange(1, looks + 1))
    largest = float(-ndtri(alpha / (2 * looks))) * math.sqrt(looks) + 1.0
    factor = brentq(lambda c: crossing(c * form) - alpha, 0.01, largest, xtol=1e-10)
    return np.asarray(factor * form)


def crossing(bounds: Floats) -> float:
    """P(|z| exceeds its bound at any of the looks) under no difference, `bounds` [looks].

    The density of the sum so far, of those that have not crossed, is carried from look to look (Armitage, McPherson &
    Rowe 1969) on Gauss-Legendre nodes, about eight a standard deviation.
    """
    edges = np.asarray(bounds) * np.sqrt(np.arange(1, len(bounds) + 1))
    nodes, weights = _nodes(edges[0])
    density = _normal(nodes)
    for edge in edges[1:]:
        further, next_weights = _nodes(edge)
        density = _normal(further[:, None] - nodes) @ (weights * density)
        nodes, weights = further, next_weights
    return float(1.0 - weights @ density) if len(edges) > 1 else float(2.0 * ndtr(-edges[0]))


def _normal(z: Floats) -> Floats:
    """The density of the standard normal distribution."""
    return np.asarray(np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi))


def _nodes(edge: float) -> tuple[Floats, Floats]:
    nodes, weights = np.polynomial.legendre.leggauss(32 + 8 * math.ceil(edge))
    return edge * nodes, edge * weights
