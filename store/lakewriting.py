"""How the lake writes its Parquet: in row groups that are read with little memory, and each column by what it holds."""

from __future__ import annotations

from itertools import chain
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import ColumnProperties, WriterProperties

_GROUP_ROWS: Final = 131_072
"""Who reads holds a group at a time; by default it were a million rows."""
_LEAST_ROWS: Final = 1000
"""Of a first batch that says anything of the rows behind it."""
_SPLIT: Final = ColumnProperties(dictionary_enabled=False, encoding="BYTE_STREAM_SPLIT")


def writing(batches: pa.RecordBatchReader) -> tuple[WriterProperties, pa.RecordBatchReader]:
    """How these rows are written, and the same rows. The first batch is read, and raises what making it raises.

    Floats that are nearly all different are written byte by byte: all first bytes, all second ones, and so on. The
    bytes that are alike are packed tighter so, and those that are noise are stored and cost nothing to unpack: a
    million rows of five such columns are 35 MB where it were 37, written in 0.25 s of CPU where it were 0.36, and read
    in 0.06 where it were 0.11 (`benchmarks/driftpeers.py` has the rows). A dictionary of them were made for nothing.
    """
    first = next(iter(batches), None)
    split = [] if first is None else _different(first)
    properties = WriterProperties(
        compression="ZSTD",
        compression_level=1,
        max_row_group_size=_GROUP_ROWS,
        column_properties=dict.fromkeys(split, _SPLIT),
    )
    rows = batches if first is None else chain([first], batches)
    return properties, pa.RecordBatchReader.from_batches(batches.schema, rows)


def _different(rows: pa.RecordBatch) -> list[str]:
    """Columns of floats that have each value less than twice, on average."""
    if rows.num_rows < _LEAST_ROWS:
        return []
    floats = [name for name, kind in zip(rows.schema.names, rows.schema.types, strict=True) if _is_float(kind)]
    return [name for name in floats if 2 * pc.count_distinct(rows.column(name), "all").as_py() > rows.num_rows]


def _is_float(kind: pa.DataType) -> bool:
    return bool(pa.types.is_float32(kind) or pa.types.is_float64(kind))
