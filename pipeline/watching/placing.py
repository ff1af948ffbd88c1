"""In which of many cells each number lies: exactly, and in a small part of the time that sorting the numbers takes.

The first bits of a float, read rightly, keep the order of numbers, and so does rounding to single precision. So a table
says, for each beginning of a single, how many edges lie below whatever begins so. Between the few edges that begin
alike, mostly one, a binary search decides, of all numbers at once, by the numbers themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from pipeline.stats.distances import Counts
from pipeline.stats.measured import Floats

_SHORTEST: Final = 16
_LONGEST: Final = 18
"""Bits of a beginning: a table of half a megabyte."""
Numbers = npt.NDArray[np.floating[Any]]
"""[n] of single or double precision, all finite."""
Places = npt.NDArray[np.signedinteger[Any]]


@dataclass(frozen=True, eq=False)
class _Table:
    """Of edges in one precision."""

    edges: Numbers
    """[k + …], ascending, and infinities enough for the search never to leave them."""
    drop: np.uint32
    """So many bits of a single are behind its beginning."""
    first: Places
    """[2^bits of a beginning] beginning → edges below whatever begins so."""
    steps: tuple[int, ...]
    """Of the search, each half of the one before; 2s - 1 edges at most begin alike, s the first."""

    @classmethod
    def of(cls, edges: Numbers) -> Self:
        """`edges` [k], ascending, finite or infinite, -0 not among them."""
        ordered = _ordered(edges)
        alike = {bits: _most_alike(ordered >> (32 - bits)) for bits in range(_SHORTEST, _LONGEST + 1)}
        bits = min(alike, key=lambda one: (alike[one].bit_length(), one))
        steps = tuple(2**power for power in reversed(range(alike[bits].bit_length())))
        padded = np.concatenate([edges, np.full(sum(steps) + 1, np.inf, edges.dtype)])
        kind = np.int16 if len(padded) <= np.iinfo(np.int16).max else np.int32
        return cls(padded, np.uint32(32 - bits), _first(ordered >> (32 - bits), bits, kind), steps)

    def __call__(self, values: Numbers) -> Places:
        place = self.first.take(_singles(values).view(np.uint32) >> self.drop)
        kind = place.dtype.type
        for step in self.steps:
            # Edges ascend: when this one lies below, so do all that are skipped.
            below = self.edges.take(place + kind(step - 1)) < values
            place += below.view(np.int8) * kind(step) if step > 1 else below.view(np.int8)
        return place


@dataclass(frozen=True, eq=False)
class Placing:
    """Cells (-∞, e₀], (e₀, e₁] … (eₖ₋₁, ∞)."""

    edges: Floats
    """[k], ascending, finite."""

    def __call__(self, values: Numbers) -> Places:
        """[n]: the number of edges below each."""
        return self._singles(values) if values.dtype == np.float32 else self._doubles(values)

    def counts(self, values: Numbers, cells: int) -> Counts:
        """[cells = k + 1]: how many lie in each."""
        return np.bincount(self(values), minlength=cells).astype(np.int64, copy=False)

    @cached_property
    def _doubles(self) -> _Table:
        return _Table.of(self.edges + 0.0)

    @cached_property
    def _singles(self) -> _Table:
        """By the largest single that is not above an edge: no single lies between the two."""
        return _Table.of(_narrowed(self.edges) + np.float32(0))


def _singles(values: Numbers) -> npt.NDArray[np.float32]:
    """The next to each."""
    with np.errstate(over="ignore"):
        return values.astype(np.float32, copy=False)


def _ordered(values: Numbers) -> npt.NDArray[np.int32]:
    """The bits of the single next to each, in the order of the numbers: a sign is a bit, and what follows it grows away
    from 0."""
    bits = _singles(values).view(np.int32)
    return bits ^ ((bits >> 31) & np.int32(2**31 - 1))


def _most_alike(ordered: npt.NDArray[np.int32]) -> int:
    ends = np.flatnonzero(np.diff(ordered, prepend=-(2**31), append=2**31 - 1))
    return int(np.diff(ends).max(initial=0))


def _first(ordered: npt.NDArray[np.int32], bits: int, kind: type[np.signedinteger[Any]]) -> Places:
    """Of the edges' beginnings in the order of the numbers, by beginnings as they are: those of numbers below 0 are the
    second half, the nearest to 0 first."""
    half = 2 ** (bits - 1)
    ends = np.concatenate([[-half], ordered.astype(np.int64) + 1, [half]])
    below = np.repeat(np.arange(len(ordered) + 1, dtype=kind), np.diff(ends))
    return np.concatenate([below[half:], below[half - 1 :: -1]])


def _narrowed(edges: Floats) -> npt.NDArray[np.float32]:
    with np.errstate(over="ignore"):
        nearest = edges.astype(np.float32)
        return np.where(nearest > edges, np.nextafter(nearest, np.float32(-np.inf)), nearest)
