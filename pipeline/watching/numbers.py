"""The profile of a numeric column: how many values lie in each of the cells that the reference fixed, and moments.

Counts over fixed cells add up, and so do exact sums: the profile of a day is that of its hours, to the last bit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.stats.distances import Counts
from pipeline.stats.measured import Floats
from pipeline.watching.grouping import Places, group_ends
from pipeline.watching.packed import counts_of, counts_text, floats_of, floats_text
from pipeline.watching.placing import Numbers, Placing
from pipeline.watching.sums import FARTHEST, as_float, exact_sum, from_text, to_text

CELLS: Final = 1024
SPECIAL: Final = ("-inf", "+inf", "nan", "missing")
"""Cells behind those of the finite numbers, in this order."""


@dataclass(frozen=True, eq=False)
class NumberCells:
    """A partition of the numbers: (-∞, e₀], (e₀, e₁] … (eₖ₋₁, ∞), then one cell for each of `SPECIAL`.

    e₀ lies just below the lowest value of the reference, eₖ₋₁ is its highest: the first and the last finite cell hold
    what is below and above all it has. Without a finite number in the reference there are no edges, and one such cell.
    """

    edges: Floats
    """[k], ascending."""
    points: bool
    """Each cell held one value of the reference, at its upper edge."""
    centre: float
    """About which moments are taken: the reference's median, against cancellation."""

    @classmethod
    def fit(cls, values: npt.ArrayLike, most: int = CELLS) -> Self:
        """To a sample [n] of the reference: its distinct values if there are at most `most`, else its quantiles.

        A value that several quantiles meet gets a cell of its own. Only finite values count.
        """
        ordered = _ascending(values)
        if not len(ordered):
            return cls(np.zeros(0), True, 0.0)
        other = np.concatenate(([True], ordered[1:] != ordered[:-1]))
        points = bool(np.count_nonzero(other) <= most)
        upper = ordered[other] if points else _quantiles(ordered, most)
        centre = float(ordered[(len(ordered) - 1) // 2])
        return cls(np.unique(np.r_[_just_below(ordered[:1]), upper]), points, centre)

    @cached_property
    def placing(self) -> Placing:
        return Placing(self.edges)

    @cached_property
    def widths(self) -> Floats:
        """[k + 1] of the cells of finite numbers, as far as numbers are summed; the outermost have no end: 0 here."""
        with np.errstate(over="ignore"):
            between = np.minimum(np.diff(self.edges), FARTHEST)
        return np.concatenate([np.zeros(1), between, np.zeros(min(1, len(self.edges)))])

    @property
    def size(self) -> int:
        """Of a profile's counts."""
        return len(self.edges) + 1 + len(SPECIAL)

    def same(self, other: NumberCells) -> bool:
        return self is other or (self.centre == other.centre and np.array_equal(self.edges, other.edges))

    def document(self) -> dict[str, Any]:
        """Plain JSON, the same for equal cells."""
        return {"kind": "numeric", "edges": floats_text(self.edges), "points": self.points, "centre": self.centre}

    def identity(self) -> dict[str, Any]:
        """Plain JSON that says which cells these are, in every release the same."""
        return {**self.document(), "edges": self.edges.tolist()}

    @classmethod
    def from_document(cls, said: dict[str, Any]) -> Self:
        return cls(floats_of(said["edges"]), said["points"], said["centre"])


def _ascending(values: npt.ArrayLike) -> Floats:
    """Those that are finite, 0 and -0 alike. Singles are sorted as such, in half of the time."""
    given = np.asarray(values)
    floats = given if given.dtype == np.float32 else given.astype(np.float64, copy=False)
    return (np.sort(floats[np.isfinite(floats)]) + floats.dtype.type(0)).astype(np.float64, copy=False)


def _quantiles(ordered: Floats, most: int) -> Floats:
    ranks = np.ceil(np.arange(1, most + 1) * (len(ordered) / most)).astype(np.int64) - 1
    single, met = np.unique(ordered[np.clip(ranks, 0, len(ordered) - 1)], return_counts=True)
    # The outermost cells are wide: each is halved by its rows until one is left.
    tail = 2 ** np.arange(int(math.log2(len(ordered) / most)) + 1)
    parts = (single, _just_below(single[met > 1]), ordered[tail], ordered[-1 - tail])
    return np.concatenate(parts)


def _just_below(values: Floats) -> Floats:
    """The floats before them; the least of all stays, for an edge is finite."""
    with np.errstate(over="ignore"):
        return np.maximum(np.nextafter(values, -math.inf), -np.finfo(np.float64).max)


@dataclass(frozen=True, eq=False, kw_only=True)
class NumberProfile:
    """Of a column over a window. `of` and `plus` agree exactly, however the rows are parted."""

    cells: NumberCells
    counts: Counts
    """[edges + 1 + 4]: rows in each cell."""
    total: int = 0
    """Σ (x - centre) over finite x, in units of 2^-1074; of a value further than 1e150 away, 1e150."""
    squares: int = 0
    """Σ (x - centre)², each square rounded as a float is, in the same units."""
    below: int = 0
    """Σ (e₀ - x) over the first cell."""
    above: int = 0
    """Σ (x - eₖ₋₁) over the last finite cell."""
    lowest: float = math.inf
    highest: float = -math.inf

    @classmethod
    def empty(cls, cells: NumberCells) -> Self:
        return cls(cells=cells, counts=np.zeros(cells.size, np.int64))

    @classmethod
    def of(cls, cells: NumberCells, column: pa.Array) -> Self:
        """A batch of numbers, truth values or nulls [n]."""
        values, special, (low, high) = _finite(_present(column))
        counts = cells.placing.counts(values, len(cells.edges) + 1)
        wide = values.astype(np.float64, copy=False)
        away, farthest = _away(wide, cells.centre, low, high)
        below, above = _beyond(cells, wide, counts)
        return cls(
            cells=cells,
            counts=np.concatenate([counts, [*special, len(column) - len(wide) - sum(special)]]),
            total=exact_sum(away, farthest),
            squares=exact_sum(np.square(away, out=away), farthest * farthest),
            below=exact_sum(below),
            above=exact_sum(above),
            lowest=low,
            highest=high,
        )

    def plus(self, other: NumberProfile) -> NumberProfile:
        """Of the rows of both. Raises ValueError for other cells."""
        if not self.cells.same(other.cells):
            raise ValueError("profiles over different cells do not add up; profile both over one reference's cells")
        return NumberProfile(
            cells=self.cells,
            counts=self.counts + other.counts,
            total=self.total + other.total,
            squares=self.squares + other.squares,
            below=self.below + other.below,
            above=self.above + other.above,
            lowest=min(self.lowest, other.lowest),
            highest=max(self.highest, other.highest),
        )

    @cached_property
    def rows(self) -> int:
        return int(self.counts.sum())

    @property
    def finite(self) -> Counts:
        """Counts of the cells of finite numbers."""
        return self.counts[: -len(SPECIAL)]

    @cached_property
    def values(self) -> int:
        """Rows with a finite number."""
        return int(self.finite.sum())

    @property
    def missing(self) -> int:
        """Rows without a value: null or NaN."""
        return int(self.counts[-1]) + int(self.counts[-2])

    @cached_property
    def mean(self) -> float:
        """Of the finite values; NaN without any."""
        count = self.values
        return self.cells.centre + as_float(self.total) / count if count else math.nan

    @cached_property
    def deviation(self) -> float:
        """√(M₂/n), M₂ = Σ(x - c)² - (Σ(x - c))²/n. NaN without finite values."""
        count = self.values
        if not count:
            return math.nan
        around = as_float(self.squares) / count - (as_float(self.total) / count) ** 2
        return math.sqrt(max(0.0, around))

    @cached_property
    def upto(self) -> Counts:
        """[edges + 1]: finite values up to the upper edge of each cell."""
        return np.asarray(np.cumsum(self.finite))

    @cached_property
    def group_ends(self) -> Places:
        """Of a reference, see `grouping.group_ends`."""
        return group_ends(self.finite, self.upto)

    @cached_property
    def integrals(self) -> tuple[float, float, float]:
        """Σ of how far its values lie below the first edge, above the last, and from the centre (signed)."""
        return as_float(self.below), as_float(self.above), as_float(self.total)

    def document(self) -> dict[str, Any]:
        """Plain JSON, the same for equal profiles."""
        return {**self.cells.document(), **self.tally()}

    def tally(self) -> dict[str, Any]:
        """The same without the cells, which many profiles share."""
        return {"counts": counts_text(self.counts), **self.moments()}

    def moments(self) -> dict[str, Any]:
        """What it knows beside its counts."""
        return {
            "sums": [to_text(one) for one in (self.total, self.squares, self.below, self.above)],
            "range": [self.lowest, self.highest] if self.finite.any() else None,
        }

    @classmethod
    def from_document(cls, said: dict[str, Any]) -> NumberProfile:
        return cls.over(NumberCells.from_document(said), said)

    @classmethod
    def over(cls, cells: NumberCells, said: dict[str, Any], counts: Counts | None = None) -> NumberProfile:
        """From a document that need not hold the cells, nor `counts` where those are given."""
        total, squares, below, above = map(from_text, said["sums"])
        lowest, highest = said["range"] or (math.inf, -math.inf)
        return cls(
            cells=cells,
            counts=counts_of(said["counts"]) if counts is None else counts,
            total=total,
            squares=squares,
            below=below,
            above=above,
            lowest=lowest,
            highest=highest,
        )


def _present(column: pa.Array) -> Numbers:
    """The values that are there, as floats; of single precision they stay so, which are placed in half of the time."""
    there = column.drop_null() if column.null_count else column
    if pa.types.is_float32(there.type):
        return np.asarray(there.to_numpy(zero_copy_only=False))
    if pa.types.is_boolean(there.type) or pa.types.is_null(there.type):
        there = there.cast(pa.int8())
    return np.asarray(there.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), dtype=np.float64)


def _finite(values: Numbers) -> tuple[Numbers, list[int], tuple[float, float]]:
    """Those that are, how many are -∞, ∞ and NaN, and the lowest and the highest of the finite ones."""
    ends = _ends(values)
    # Of a NaN both ends are NaN.
    if not len(values) or all(map(math.isfinite, ends)):
        return values, [0, 0, 0], ends
    special = [np.isneginf(values), np.isposinf(values), np.isnan(values)]
    finite = values[np.isfinite(values)]
    return finite, [int(mask.sum()) for mask in special], _ends(finite)


def _ends(values: Numbers) -> tuple[float, float]:
    return (float(values.min()), float(values.max())) if len(values) else (math.inf, -math.inf)


def _beyond(cells: NumberCells, values: Floats, counts: Counts) -> tuple[Floats, Floats]:
    """How far values lie below the first edge, and above the last."""
    none = np.zeros(0)
    if not len(cells.edges):
        return none, none
    first, last = cells.edges[0], cells.edges[-1]
    with np.errstate(over="ignore"):
        below = _near(first - values[values <= first]) if counts[0] else none
        above = _near(values[values > last] - last) if counts[-1] else none
    return below, above


def _away(values: Floats, centre: float, low: float, high: float) -> tuple[Floats, float]:
    """`values`, of which `low` and `high` are the ends, less `centre`; and how far the farthest is."""
    with np.errstate(over="ignore"):
        away = values - centre
    farthest = max(abs(low - centre), abs(high - centre))
    return (away, farthest) if farthest <= FARTHEST else (_near(away), FARTHEST)


def _near(values: Floats) -> Floats:
    return np.clip(values, -FARTHEST, FARTHEST)
