"""Times that a calendar can show: of the years 1 to 9999. What lies beyond is no datetime, and cannot be shown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from store.errors import SchemaChanged

_FIRST_S: Final = -62_135_596_800
_LAST_S: Final = 253_402_300_799
_DAY_S: Final = 86_400
_PER_SECOND: Final = {"s": 1, "ms": 10**3, "us": 10**6}
"""In nanoseconds 64 bits hold no year beyond 2262."""


def require_calendar(column: pa.Array | pa.ChunkedArray, where: str) -> None:
    """Raises SchemaChanged for a column of times that has one beyond; PostgreSQL and DuckDB have infinities."""
    counted = _counted(column)
    if counted is None:
        return
    count, first, last = counted
    beyond = pc.sum(pc.or_(pc.less(count, first), pc.greater(count, last))).as_py()
    if beyond:
        raise SchemaChanged(
            f"{beyond:,} of {len(column):,} rows have a time outside of the years 1 to 9999, such as an infinity",
            where=where,
            remedy="make it missing at the source, such as NULLIF(until, 'infinity') in a query",
        )


def within_calendar(rows: pa.RecordBatchReader, where: str) -> pa.RecordBatchReader:
    """The same rows. Reading them raises SchemaChanged where a column, of the place `where`, has a time beyond."""

    def looked_at() -> Iterator[pa.RecordBatch]:
        for batch in rows:
            for name, column in zip(batch.schema.names, batch.columns, strict=True):
                require_calendar(column, f"{where}.{name}")
            yield batch

    return pa.RecordBatchReader.from_batches(rows.schema, looked_at())


def _counted(column: pa.Array | pa.ChunkedArray) -> tuple[pa.Array | pa.ChunkedArray, int, int] | None:
    """What a time counts in, and the first and the last of it; None for what is no such time."""
    kind = column.type
    if pa.types.is_date32(kind):
        return column.cast(pa.int32()), _FIRST_S // _DAY_S, _LAST_S // _DAY_S
    if pa.types.is_timestamp(kind) and kind.unit in _PER_SECOND:
        per = _PER_SECOND[kind.unit]
        return column.cast(pa.int64()), _FIRST_S * per, (_LAST_S + 1) * per - 1
    return None
