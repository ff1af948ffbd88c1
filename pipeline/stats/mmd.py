"""Maximum mean discrepancy: do two samples of vectors come from one distribution?"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from pipeline.stats.measured import Floats

MOST: Final = 1_000
"""Rows of each side; more are drawn from."""
_LEAST: Final = 2
_NOTHING: Final = 1e-12
"""Of the two rows' squared distances from the mean: what is less of their own is rounding."""


@dataclass(frozen=True, kw_only=True)
class Discrepancy:
    squared: float
    """MMD², unbiased: about 0 without a difference, and then as often below as above."""
    bandwidth: float
    """σ of the kernel exp(-|x - y|²/2σ²)."""
    rows: tuple[int, int]
    """That it was computed of."""
    p_value: float | None
    """A note, never an alarm: with many rows every difference is significant. None without permutations."""
    noise: float | None = None
    """Standard deviation of MMD² without a difference, for so many rows; None without halves."""

    def document(self) -> dict[str, Any]:
        return {**asdict(self), "rows": list(self.rows)}


def mmd(
    reference: Floats,
    current: Floats,
    rng: np.random.Generator,
    *,
    most: int = MOST,
    permutations: int = 0,
    halves: int = 0,
) -> Discrepancy | None:
    """MMD² of `reference` [n, d] and `current` [m, d] with an RBF kernel (Gretton et al. 2012, lemma 6).

    Σᵢ≠ⱼ k(xᵢ, xⱼ)/n(n-1) + Σᵢ≠ⱼ k(yᵢ, yⱼ)/m(m-1) - 2 Σᵢⱼ k(xᵢ, yⱼ)/nm, at most 2 and at least -2/(min(n, m) - 1).
    σ is the median distance between rows of both (the median heuristic); where that is 0, their mean distance. Of more
    than `most` rows of a side so many are drawn: O(most²·d). Columns should be of one scale. `p_value`: the share of
    `permutations` of the rows, and the rows as they are, with so large a value. `noise`: of the MMD² between so many
    random `halves` of the reference, of h and n - h rows, times (1/n + 1/m)/(1/h + 1/(n - h)), as it grows with rows.
    None with fewer than two rows on a side. Raises ValueError for a value that is not finite.
    """
    sides = [_drawn(one, rng, most) for one in (reference, current)]
    if min(map(len, sides)) < _LEAST:
        return None
    rows = np.vstack(sides)
    if not np.isfinite(rows).all():
        raise ValueError("MMD is of finite numbers: fill what is missing first")
    squares = _squares(rows)
    bandwidth = _bandwidth(squares)
    kernel = np.exp(-squares / (2 * bandwidth**2)) if bandwidth > 0 else np.ones_like(squares)
    np.fill_diagonal(kernel, 0.0)
    n, m = map(len, sides)
    found = float(_squared(kernel, np.arange(n + m)[None] < n)[0])
    p_value = None
    if permutations:
        first = np.stack([rng.permutation(n + m) < n for _ in range(permutations)])
        p_value = float((np.sum(_squared(kernel, first) >= found - 1e-12) + 1) / (permutations + 1))
    noise = _noise(kernel[:n, :n], m, halves, rng) if halves and n >= 2 * _LEAST else None
    return Discrepancy(squared=found, bandwidth=bandwidth, rows=(n, m), p_value=p_value, noise=noise)


def _noise(kernel: Floats, others: int, halves: int, rng: np.random.Generator) -> float:
    """`kernel` [n, n]: of the reference's rows, without its diagonal."""
    n = len(kernel)
    half = n // 2
    first = np.stack([rng.permutation(n) < half for _ in range(halves)])
    fewer = (1 / n + 1 / others) / (1 / half + 1 / (n - half))
    return float(_squared(kernel, first).std()) * fewer


def _drawn(rows: Floats, rng: np.random.Generator, most: int) -> Floats:
    given = np.asarray(rows, np.float64)
    return given if len(given) <= most else given[np.sort(rng.choice(len(given), most, replace=False))]


def _squares(rows: Floats) -> Floats:
    """|x - y|² = |x|² + |y|² - 2xy of all pairs: a product of matrices, ten times as fast as pair by pair. About their
    mean, so that little is lost where they lie close together; what rounding may have made is 0."""
    centred = rows - rows.mean(axis=0)
    sizes = np.square(centred).sum(axis=1)
    both = sizes[:, None] + sizes[None, :]
    squares = both - 2 * (centred @ centred.T)
    return np.where(squares > _NOTHING * both, squares, 0.0)


def _bandwidth(squares: Floats) -> float:
    distances = np.sqrt(np.concatenate([row[place + 1 :] for place, row in enumerate(squares)]))
    return float(np.median(distances)) or float(distances.mean())


def _squared(kernel: Floats, first: np.ndarray) -> Floats:
    """MMD² for each way [k, n + m] to say which rows are the first sample; the kernel without its diagonal."""
    one = first.astype(np.float64)
    n = int(first[0].sum())
    m = len(kernel) - n
    weighted = one @ kernel
    inner = (weighted * one).sum(axis=1)
    across = weighted.sum(axis=1) - inner
    others = kernel.sum() - inner - 2 * across
    return np.asarray(inner / (n * (n - 1)) + others / (m * (m - 1)) - 2 * across / (n * m))
