"""A version of a dataset as a table that is watched. Its files never change, so (file, rows) says which rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pads

from pipeline.tables.shape import BATCH_ROWS
from pipeline.versions.signature import FeatureKind
from pipeline.watching.tables import Batch, Content, token_of
from pipeline.watching.windows import Window, origin

_TYPES: Final = {"numeric": pa.float64(), "categorical": pa.string()}
_NUMBER: Final = r"^-?\d+(\.\d+)?([eE][-+]?\d+)?$"
Times = npt.NDArray[np.int64]
"""Microseconds since 1970 UTC."""


@dataclass(frozen=True)
class DatasetTable:
    rows: pads.Dataset
    time: str
    """Its column with the moment of a row; one without a zone is UTC."""
    kinds: Mapping[str, FeatureKind]
    """Columns that are watched, some of which it may have no more."""

    def pieces(self, piece_us: int, since_us: int) -> Mapping[int, Content]:
        first = origin(piece_us)
        found: dict[int, dict[str, int]] = {}
        for path, times in self._times.items():
            starts = (times[times >= since_us] - first) // piece_us * piece_us + first
            for start, count in zip(*np.unique(starts, return_counts=True), strict=True):
                found.setdefault(int(start), {})[path] = int(count)
        return {start: _content(parts) for start, parts in sorted(found.items())}

    def contents(self, windows: Sequence[Window]) -> Mapping[Window, Content]:
        found: dict[Window, dict[str, int]] = {}
        for path, times in self._times.items():
            for window in windows:
                count = int(((times >= window.start_us) & (times < window.end_us)).sum())
                if count:
                    found.setdefault(window, {})[path] = count
        return {window: _content(parts) for window, parts in sorted(found.items())}

    def times(self, since_us: int) -> Iterator[tuple[int, int]]:
        every = np.concatenate([np.zeros(0, np.int64), *self._times.values()])
        moments, counts = np.unique(every[every >= since_us], return_counts=True)
        yield from zip(moments.tolist(), counts.tolist(), strict=True)

    def batches(self, window: Window) -> Iterator[Batch]:
        there = set(self.rows.schema.names)
        for batch in self.scanned(window):
            yield Batch(batch, {name: batch.num_rows if name in there else 0 for name in self.kinds})

    def scanned(self, window: Window, beside: Sequence[str] = ()) -> Iterator[pa.RecordBatch]:
        """Its rows: the columns of `kinds`, and those `beside` as they are, of which it has all."""
        there = [name for name in self.kinds if name in self.rows.schema.names]
        scanner = self.rows.scanner(
            columns=list(dict.fromkeys([*there, *beside])),
            filter=self._within(window),
            batch_size=BATCH_ROWS,
            batch_readahead=1,
            fragment_readahead=1,
        )
        for batch in scanner.to_batches():
            if batch.num_rows:
                arrays = {name: self._column(batch, name, kind) for name, kind in self.kinds.items()}
                arrays |= {name: batch.column(name) for name in beside}
                yield pa.record_batch(arrays) if arrays else batch.select([])

    def none(self, beside: Sequence[str] = ()) -> pa.Table:
        """No row of them."""
        arrays = {name: pa.nulls(0, _TYPES[kind]) for name, kind in self.kinds.items()}
        return pa.table(arrays | {name: pa.nulls(0, self.rows.schema.field(name).type) for name in beside})

    def changed(self) -> dict[str, pa.DataType]:
        """Columns that are of another kind now than they are watched as, each with its type."""
        there = kinds_of(self.rows.schema, self.time)
        names = [name for name in self.kinds if name in self.rows.schema.names]
        return {name: self.rows.schema.field(name).type for name in names if there.get(name) != self.kinds[name]}

    @property
    def newest_us(self) -> int | None:
        """The time of its newest row."""
        return max((int(times.max()) for times in self._times.values() if len(times)), default=None)

    @property
    def oldest_us(self) -> int | None:
        return min((int(times.min()) for times in self._times.values() if len(times)), default=None)

    @cached_property
    def _times(self) -> dict[str, Times]:
        """File → the times of its rows; rows without one belong to no window."""
        found: dict[str, Times] = {}
        for fragment in self.rows.get_fragments():
            column = fragment.to_table(columns=[self.time], schema=self.rows.schema).column(0).drop_null()
            found[fragment.path] = _microseconds(column)
        return found

    def _within(self, window: Window) -> pc.Expression:
        """As the column has it: a filter on it can leave out whole groups of rows."""
        kind = self.rows.schema.field(self.time).type
        low, high = (_as_scalar(moment, kind) for moment in (window.start_us, window.end_us))
        return (pc.field(self.time) >= low) & (pc.field(self.time) < high)

    def _column(self, batch: pa.RecordBatch, name: str, kind: FeatureKind) -> pa.Array:
        return _as_kind(batch.column(name), kind) if name in batch.schema.names else pa.nulls(len(batch), _TYPES[kind])


def kinds_of(schema: pa.Schema, time: str) -> dict[str, FeatureKind]:
    """Columns that can be watched: numbers, words and truth values."""
    found: dict[str, FeatureKind] = {}
    for field in schema:
        if field.name != time and (kind := _kind(field.type)) is not None:
            found[field.name] = kind
    return found


def _kind(of: pa.DataType) -> FeatureKind | None:
    if pa.types.is_integer(of) or pa.types.is_floating(of) or pa.types.is_decimal(of):
        return "numeric"
    return "categorical" if _is_text(of) or pa.types.is_boolean(of) else None


def _as_kind(column: pa.Array, kind: FeatureKind) -> pa.Array:
    """Of a column that has become another kind, what can be read as the one before; all else is missing."""
    wanted = _TYPES[kind]
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        return pa.nulls(len(column), wanted)  # bytes need not be text, and a cast does not look
    if kind == "numeric" and _is_text(column.type):
        text = column.cast(pa.string())
        column = pc.if_else(pc.match_substring_regex(text, _NUMBER), text, None)
    try:
        return column.cast(wanted, safe=False)
    except pa.ArrowNotImplementedError:  # by the types, whatever the rows are
        return pa.nulls(len(column), wanted)


def _is_text(of: pa.DataType) -> bool:
    return bool(pa.types.is_string(of) or pa.types.is_large_string(of) or pa.types.is_string_view(of))


def _content(parts: Mapping[str, int]) -> Content:
    told = token_of((count, path) for path, count in parts.items())
    return Content(sum(parts.values()), told)


def _microseconds(column: pa.ChunkedArray) -> Times:
    """A time without a zone, or a day, is taken as UTC."""
    if not pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("us"))
    zone = column.type.tz
    plain = column.cast(pa.timestamp("us", zone), safe=False).cast(pa.int64())
    return np.asarray(plain.to_numpy(), np.int64)


def _as_scalar(moment_us: int, kind: pa.DataType) -> pa.Scalar:
    """The first moment from there on that such a column can hold."""
    if not pa.types.is_timestamp(kind):
        return pa.scalar(-(-moment_us // _DAY_US), pa.int32()).cast(pa.date32()).cast(kind)
    if kind.unit == "ns":
        return pa.scalar(moment_us * 1000, pa.int64()).cast(kind)
    return pa.scalar(-(-moment_us // _IN_US[kind.unit]), pa.int64()).cast(kind)


_DAY_US: Final = 86_400_000_000
_IN_US: Final = {"s": 1_000_000, "ms": 1000, "us": 1}
