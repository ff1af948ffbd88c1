"""In which of many cells each number lies: exactly, and in a quarter of the time that sorting the numbers takes.

Rounding to single precision keeps the order of numbers, and so do the first 16 bits of a single, read rightly. So a
table of 65,536 places says, for each beginning, how many edges lie below whatever begins so. Between the few edges that
begin alike a binary search decides, of all numbers at once, by the numbers themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from pipeline.stats.distances import Counts
from pipeline.stats.measured import Floats

_BEGINNINGS: Final = 2**16
_HALF: Final = _BEGINNINGS // 2
Numbers = npt.NDArray[np.floating[Any]]
"""[n] of single or double precision, all finite."""


@dataclass(frozen=True, eq=False)
class Placing:
    """Cells (-∞, e₀], (e₀, e₁] … (eₖ₋₁, ∞)."""

    edges: Floats
    """[k + …], ascending, and infinities enough for the search never to leave them."""
    narrow: npt.NDArray[np.float32]
    """The same for singles: the largest that is not above an edge."""
    first: npt.NDArray[np.int32]
    """[65,536] beginning → edges below whatever begins so."""
    steps: tuple[int, ...]
    """Of the search, each half of the one before; 2s - 1 edges at most begin alike, s the first."""

    @classmethod
    def of(cls, edges: Floats) -> Self:
        """`edges` [k], ascending, finite."""
        counts = np.bincount(_ordered(_beginnings(edges)), minlength=_BEGINNINGS)
        below = np.cumsum(counts) - counts
        first = np.r_[below[_HALF:], below[_HALF - 1 :: -1]].astype(np.int32)
        steps = tuple(2**power for power in reversed(range(int(counts.max()).bit_length())))
        padded = np.r_[edges, np.full(sum(steps) + 1, np.inf)]
        return cls(padded, _narrowed(padded), first, steps)

    def __call__(self, values: Numbers) -> npt.NDArray[np.int32]:
        """[n]: the number of edges below each."""
        edges = self.narrow if values.dtype == np.float32 else self.edges
        place = self.first.take(_beginnings(values))
        for step in self.steps:
            # Edges ascend: when this one lies below, so do all that are skipped.
            place += np.int32(step) * (edges.take(place + np.int32(step - 1)) < values)
        return place

    def counts(self, values: Numbers, cells: int) -> Counts:
        """[cells = k + 1]: how many lie in each."""
        return np.bincount(self(values), minlength=cells).astype(np.int64, copy=False)


def _beginnings(values: Numbers) -> npt.NDArray[np.uint32]:
    """The first 16 bits of the single next to each, 0 and -0 alike."""
    with np.errstate(over="ignore"):
        singles = values.astype(np.float32, copy=False) + np.float32(0)
    return singles.view(np.uint32) >> np.uint32(16)


def _ordered(beginnings: npt.NDArray[np.uint32]) -> npt.NDArray[np.int64]:
    """The same in the order of the numbers: a sign is a bit, and what follows it grows away from 0."""
    wide = beginnings.astype(np.int64)
    return np.where(wide < _HALF, wide + _HALF, _BEGINNINGS - 1 - wide)


def _narrowed(edges: Floats) -> npt.NDArray[np.float32]:
    with np.errstate(over="ignore"):
        nearest = edges.astype(np.float32)
        return np.where(nearest > edges, np.nextafter(nearest, np.float32(-np.inf)), nearest)
