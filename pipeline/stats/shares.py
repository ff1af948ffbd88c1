"""A share of rows with its interval."""

from __future__ import annotations

import math

from scipy.special import ndtri


def wilson(hits: int, rows: int, level: float = 0.95) -> tuple[float, float]:
    """Interval of a share (Wilson 1927): (p̂ + z²/2n ± z√(p̂(1-p̂)/n + z²/4n²)) / (1 + z²/n). (0, 1) without rows.

    Inside [0, 1], and it covers as it says from few rows on (Brown, Cai & DasGupta 2001).
    """
    if not rows:
        return 0.0, 1.0
    share, z = hits / rows, float(ndtri((1 + level) / 2))
    centre = share + z**2 / (2 * rows)
    reach = z * math.sqrt(share * (1 - share) / rows + z**2 / (4 * rows**2))
    low, high = ((centre + side * reach) / (1 + z**2 / rows) for side in (-1, 1))
    # At the ends exactly, which rounding would miss.
    return (max(0.0, low) if hits else 0.0), (min(1.0, high) if hits < rows else 1.0)
