"""How the values of a table's columns are spread: a histogram of numbers and times, the commonest texts.

One pass over the columns that are wanted, a batch at a time. Done with numpy and not by SQL: for twenty columns that
costs a quarter of it (benchmarks/describe.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pads

from store.facts import CategoryFacts, HistogramFacts

BINS: Final = 20
TOP: Final = 10
MOST_DISTINCT: Final = 5_000
"""A text column with more different values is names or keys: which of them are common says nothing, and costs much."""
_READ_AHEAD: Final = 4
"""Batches."""
_SECOND: Final = 1e6
"""Microseconds, in which times are binned."""


@dataclass(frozen=True)
class Range:
    """What a histogram spans, in the column's own unit; times in microseconds since 1970 UTC."""

    low: float
    high: float


@dataclass
class _Bins:
    """Equal cells from low to high. The values of a narrow range of whole numbers have a cell each."""

    range: Range
    whole: bool
    time: bool
    counts: npt.NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        span = self.range.high - self.range.low
        self._each = self.whole and span < BINS
        number = int(span) + 1 if self._each else BINS if span > 0 else 1
        self._scale = 1.0 if self._each else number / span if span > 0 else 0.0
        self.counts = np.zeros(number, np.int64)

    def add(self, values: pa.Array) -> None:
        numbers = _numbers(values)
        numbers = numbers[np.isfinite(numbers)]
        cells = ((numbers - self.range.low) * self._scale).astype(np.int64)
        # The highest value closes the last cell, and rounding must not push one out.
        self.counts += np.bincount(np.clip(cells, 0, len(self.counts) - 1), minlength=len(self.counts))

    def facts(self) -> HistogramFacts:
        unit, half = (_SECOND if self.time else 1.0), (0.5 if self._each else 0.0)
        low, high = (self.range.low - half) / unit, (self.range.high + half) / unit
        return HistogramFacts(low=low, high=high, counts=self.counts.tolist())


def is_binned(kind: pa.DataType) -> bool:
    """Whether such a column has a histogram."""
    return bool(
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_timestamp(kind)
        or pa.types.is_date(kind)
    )


def is_counted(kind: pa.DataType) -> bool:
    """Whether such a column has commonest values."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_boolean(kind))


def profile(
    data: pads.Dataset, ranges: Mapping[str, Range], counted: Mapping[str, int]
) -> tuple[dict[str, HistogramFacts], dict[str, list[CategoryFacts]]]:
    """Histograms of the columns in `ranges`, the commonest values of those in `counted` (column → about how many).

    A `counted` column with more than `MOST_DISTINCT` values is left out.
    """
    kinds = {column.name: column.type for column in data.schema}
    bins = {
        name: _Bins(span, whole=pa.types.is_integer(kinds[name]), time=pa.types.is_temporal(kinds[name]))
        for name, span in ranges.items()
    }
    tops: dict[str, Counter[Any]] = {name: Counter() for name, distinct in counted.items() if distinct <= MOST_DISTINCT}
    wanted = [*bins, *tops]
    if wanted:
        for batch in data.to_batches(columns=wanted, batch_readahead=_READ_AHEAD, fragment_readahead=1):
            for name, one in bins.items():
                one.add(batch.column(name))
            for name, top in tops.items():
                _count(top, batch.column(name))
    return {name: one.facts() for name, one in bins.items()}, {name: _commonest(top) for name, top in tops.items()}


def _numbers(values: pa.Array) -> npt.NDArray[np.float64]:
    """Of the values that are there."""
    present = values.drop_null()
    if pa.types.is_date(present.type):
        present = present.cast(pa.timestamp("us"))
    if pa.types.is_timestamp(present.type):
        present = present.cast(pa.timestamp("us", tz=present.type.tz)).cast(pa.int64())
    if pa.types.is_decimal(present.type):
        present = present.cast(pa.float64())
    numbers: npt.NDArray[np.float64] = present.to_numpy(zero_copy_only=False).astype(np.float64)
    return numbers


def _count(top: Counter[Any], values: pa.Array) -> None:
    found = pc.value_counts(values.drop_null())
    for value, number in zip(found.field("values").to_pylist(), found.field("counts").to_pylist(), strict=True):
        top[value] += number


def _commonest(top: Counter[Any]) -> list[CategoryFacts]:
    """Most frequent first; equally frequent ones by name, so that the same rows always give the same list."""
    ordered = sorted(top.items(), key=lambda item: (-item[1], str(item[0])))
    return [CategoryFacts(value=_word(value), count=number) for value, number in ordered[:TOP]]


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
