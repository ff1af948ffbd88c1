"""Counts in cells whose bounds grow by a constant factor: any quantile within that factor, at two additions a value."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any, Final

SECONDS: Final = tuple(round(50e-6 * 1.5**power, 7) for power in range(35))
"""50 µs to 48 s."""
ROWS: Final = tuple(float(2**power) for power in range(13))


class Histogram:
    def __init__(self, bounds: Sequence[float]) -> None:
        """`bounds`: upper ends of the cells; one more cell is above them."""
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    def facts(self) -> dict[str, Any]:
        return {"counts": list(self.counts), "sum": self.sum}


def added(one: Sequence[int], other: Sequence[int]) -> list[int]:
    return [a + b for a, b in zip(one, other, strict=True)]


def quantile(bounds: Sequence[float], counts: Sequence[int], share: float) -> float | None:
    """Between the bounds of the cell that holds it, linearly; None without values."""
    total = sum(counts)
    if total == 0:
        return None
    wanted, below = share * total, 0
    for place, count in enumerate(counts):
        if count and below + count >= wanted:
            low = bounds[place - 1] if place else 0.0
            high = bounds[place] if place < len(bounds) else bounds[-1]
            return low + (high - low) * (wanted - below) / count
        below += count
    return bounds[-1]
