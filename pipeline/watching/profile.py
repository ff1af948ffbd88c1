"""The profile of a table over a window: one for each column, from batches of any size, in memory that does not grow."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.stats.distances import Counts
from pipeline.versions.signature import FeatureKind
from pipeline.watching.numbers import NumberCells, NumberProfile
from pipeline.watching.words import WordCells, WordProfile

FORMAT: Final = 1
"""Of the document; a profile of another format is made anew."""
Cells = NumberCells | WordCells
Profile = NumberProfile | WordProfile
Profiles = Mapping[str, Profile]
"""Column → its profile."""
Rows = Callable[[], Iterator[pa.RecordBatch]]
"""Reads the same rows in the same order whenever it is called."""
_IN_HAND: Final = 64 * 2**20
"""Bytes of rows that are kept between drawing a sample of them and counting them all."""


def fit(sample: pa.Table, kinds: Mapping[str, FeatureKind]) -> dict[str, Cells]:
    """The cells of each column, from a sample of the reference: of 65,536 rows a cell holds 64, give or take 8."""
    return {name: _fit(sample.column(name).combine_chunks(), kind) for name, kind in kinds.items()}


def empty(cells: Mapping[str, Cells]) -> dict[str, Profile]:
    """Profiles of no rows."""
    return {name: _empty(one) for name, one in cells.items()}


def add(profiles: Profiles, batch: pa.RecordBatch) -> dict[str, Profile]:
    """Profiles of the rows so far and of the batch, which has all these columns."""
    return {name: together(one, _of(one, batch.column(name))) for name, one in profiles.items()}


def profile(cells: Mapping[str, Cells], batches: Iterable[pa.RecordBatch]) -> dict[str, Profile]:
    """Holds one batch at a time."""
    found = empty(cells)
    for batch in batches:
        found = add(found, batch)
    return found


def fitted(
    kinds: Mapping[str, FeatureKind], rows: Rows, drawn: npt.NDArray[np.int64] | None, in_hand: int = _IN_HAND
) -> dict[str, Profile]:
    """Of all rows, over the cells that some of them place: those numbered `drawn`, ascending; None: all.

    Of one row at least. They are read once if they take `in_hand` bytes at most, else twice.
    """
    sample: list[pa.RecordBatch] = []
    kept: list[pa.RecordBatch] = []
    seen = size = 0
    for batch in rows():
        sample.append(batch if drawn is None else _numbered(batch, drawn, seen))
        seen += batch.num_rows
        size += batch.nbytes
        if size <= in_hand:
            kept.append(batch)
        else:
            kept.clear()
    cells = fit(pa.Table.from_batches(sample), kinds)
    return profile(cells, kept if size <= in_hand else rows())


def _numbered(batch: pa.RecordBatch, drawn: npt.NDArray[np.int64], seen: int) -> pa.RecordBatch:
    """Its rows among those drawn; `seen` rows came before it."""
    begin, end = np.searchsorted(drawn, (seen, seen + batch.num_rows))
    return batch.take(pa.array(drawn[begin:end] - seen))


def cells_of(profiles: Profiles) -> dict[str, Cells]:
    return {name: one.cells for name, one in profiles.items()}


def together(one: Profile, other: Profile) -> Profile:
    """Of the rows of both. Raises ValueError for profiles over different cells."""
    if isinstance(one, NumberProfile) and isinstance(other, NumberProfile):
        return one.plus(other)
    if isinstance(one, WordProfile) and isinstance(other, WordProfile):
        return one.plus(other)
    raise ValueError("a profile of numbers and one of words do not add up")


def to_document(profiles: Profiles) -> dict[str, Any]:
    """Plain JSON."""
    return {"format": FORMAT, "columns": {name: one.document() for name, one in profiles.items()}}


def from_document(said: Mapping[str, Any]) -> dict[str, Profile]:
    """Raises ValueError for a document of another format."""
    if said.get("format") != FORMAT:
        raise ValueError(f"profiles of format {said.get('format')!r}, not {FORMAT}")
    return {name: _read(one) for name, one in said["columns"].items()}


def over_cells(cells: Cells, said: dict[str, Any], counts: Counts | None = None) -> Profile:
    """What its `tally` gave, or its `moments` and `counts`."""
    if isinstance(cells, NumberCells):
        return NumberProfile.over(cells, said, counts)
    return WordProfile.over(cells, said, counts)


def digest_of(cells: Mapping[str, Cells]) -> str:
    """Of the cells of all columns, hexadecimal."""
    said = {name: one.identity() for name, one in cells.items()}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _read(said: dict[str, Any]) -> Profile:
    return NumberProfile.from_document(said) if said["kind"] == "numeric" else WordProfile.from_document(said)


def _fit(column: pa.Array, kind: FeatureKind) -> Cells:
    return NumberCells.fit(_numbers(column)) if kind == "numeric" else WordCells.fit(column)


def _numbers(column: pa.Array) -> Any:
    there = column.drop_null()
    wide = there if pa.types.is_float32(there.type) else there.cast(pa.float64(), safe=False)
    return wide.to_numpy(zero_copy_only=False)


def _empty(cells: Cells) -> Profile:
    return NumberProfile.empty(cells) if isinstance(cells, NumberCells) else WordProfile.empty(cells)


def _of(one: Profile, column: pa.Array) -> Profile:
    """Of these rows, over its cells."""
    if isinstance(one, NumberProfile):
        return NumberProfile.of(one.cells, column)
    return WordProfile.of(one.cells, column)
