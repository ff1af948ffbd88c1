"""Two versions' answers to the same requests: how many decisions change, by how much, and where. Pure.

A *decision* is the likeliest class; of a number it changes when the answer moves by more than a tenth of the standard
deviation of the answers before.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from pipeline.stats.measured import Floats
from pipeline.stats.shares import wilson

MOVED: Final = 0.1
"""Of the standard deviation: by more than that a number has moved."""
THRESHOLD: Final = 0.5
"""Of a binary task: from this probability on it is the second class, as the endpoint answers."""
LEAST_ROWS: Final = 30
SHOWN: Final = 3
_BINS: Final = 4
Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Flip:
    """Rows whose decision went from one class to another."""

    before: str
    after: str
    rows: int


@dataclass(frozen=True)
class MovedSlice:
    """Rows with one value in a column, of which more change than of all."""

    column: str
    value: str
    rows: int
    changed: int
    mean: float
    """Of their differences."""


@dataclass(frozen=True)
class Moved:
    """New minus before, of rows that both answered."""

    rows: int
    changed: int
    flips: tuple[Flip, ...]
    """Most rows first; of a number there are none."""
    mean: float
    quantiles: tuple[float, float, float]
    """5 %, 50 % and 95 % of the differences. Of several classes, of the share of probability that moves."""
    largest: float
    slices: tuple[MovedSlice, ...]
    """Those that move most, for certain: the worst first."""


def moved(before: Array, after: Array, classes: Sequence[str], slices: Mapping[str, Sequence[str]]) -> Moved:
    """`before`, `after`: scores [n] or [n, k] in the order of `classes` (none: numbers); column → value of each row."""
    apart, changed = differences(before, after), decisions_differ(before, after, classes)
    if not len(apart):
        return Moved(0, 0, (), 0.0, (0.0, 0.0, 0.0), 0.0, ())
    low, middle, high = (float(one) for one in np.quantile(apart, (0.05, 0.5, 0.95)))
    return Moved(
        rows=len(apart),
        changed=int(changed.sum()),
        flips=tuple(_flips(before, after, classes)),
        mean=float(apart.mean()),
        quantiles=(low, middle, high),
        largest=float(np.abs(apart).max()),
        slices=tuple(_worst(apart, changed, slices)),
    )


def differences(before: Array, after: Array) -> Floats:
    """New minus before [n]; of several classes the total variation, half the sum of |differences|, 0 to 1."""
    apart = np.asarray(after, dtype=np.float64) - np.asarray(before, dtype=np.float64)
    return np.asarray(apart if apart.ndim == 1 else np.abs(apart).sum(axis=1) / 2)


def decisions_differ(before: Array, after: Array, classes: Sequence[str]) -> npt.NDArray[np.bool_]:
    """[n], see the top of this file."""
    if classes:
        return np.asarray(_decided(before) != _decided(after))
    spread = float(np.std(np.asarray(before, dtype=np.float64))) if len(before) else 0.0
    return np.asarray(np.abs(differences(before, after)) > MOVED * spread)


def quartered(values: Sequence[float | None]) -> list[str]:
    """Numbers as words that slices can be made of: which quarter of the values each lies in."""
    numbers = np.array([math.nan if value is None else value for value in values], dtype=np.float64)
    known = numbers[np.isfinite(numbers)]
    if not len(known):
        return ["none"] * len(numbers)
    edges = np.unique(np.quantile(known, np.linspace(0, 1, _BINS + 1)))
    if len(edges) == 1:
        edges = np.r_[edges, edges]
    places = np.clip(np.searchsorted(edges, numbers, side="right") - 1, 0, len(edges) - 2)
    names = [f"{low:.4g} to {high:.4g}" for low, high in pairwise(edges)]
    return [names[place] if finite else "none" for place, finite in zip(places, np.isfinite(numbers), strict=True)]


def _decided(scores: Array) -> Array:
    return np.asarray(scores >= THRESHOLD).astype(int) if scores.ndim == 1 else np.asarray(scores.argmax(axis=1))


def _flips(before: Array, after: Array, classes: Sequence[str]) -> list[Flip]:
    if not classes:
        return []
    pairs, counts = np.unique(np.stack([_decided(before), _decided(after)]), axis=1, return_counts=True)
    found = [
        Flip(classes[int(old)], classes[int(new)], int(count))
        for (old, new), count in zip(pairs.T, counts, strict=True)
        if old != new
    ]
    return sorted(found, key=lambda flip: -flip.rows)


def _worst(apart: Floats, changed: npt.NDArray[np.bool_], slices: Mapping[str, Sequence[str]]) -> list[MovedSlice]:
    """Ranked by the lower end of the 95 % interval of their share (Wilson 1927), which has to lie above that of all."""
    overall = float(changed.mean())
    found = sorted(_slices(apart, changed, slices), key=lambda one: -_lower(one))
    return [one for one in found if _lower(one) > overall][:SHOWN]


def _slices(apart: Floats, changed: npt.NDArray[np.bool_], slices: Mapping[str, Sequence[str]]) -> Iterator[MovedSlice]:
    for column, words in slices.items():
        values, inverse, counts = np.unique(np.asarray(words, dtype=np.str_), return_inverse=True, return_counts=True)
        hits = np.bincount(inverse, changed, minlength=len(values))
        sums = np.bincount(inverse, apart, minlength=len(values))
        for place in np.flatnonzero(counts >= LEAST_ROWS):
            rows = int(counts[place])
            yield MovedSlice(column, str(values[place]), rows, int(hits[place]), float(sums[place] / rows))


def _lower(one: MovedSlice) -> float:
    return wilson(one.changed, one.rows)[0]
