"""The types of the lake, and how Arrow's others become them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from store.errors import ProjectError

TIMESTAMP: Final = pa.timestamp("us", tz="UTC")

CONTRACT: Final = {
    "string": pa.string(),
    "int64": pa.int64(),
    "float64": pa.float64(),
    "bool": pa.bool_(),
    "timestamp": TIMESTAMP,
    "date": pa.date32(),
}
"""The words of `datasets.NAME.columns` → Arrow types."""


def contract_type(word: str, where: str) -> pa.DataType:
    """The Arrow type that a contract's word stands for. Raises ProjectError."""
    if word not in CONTRACT:
        raise ProjectError(f"there is no type {word!r}", where=where, remedy=f"use one of {', '.join(CONTRACT)}")
    return CONTRACT[word]


def word_of(type_: pa.DataType) -> str:
    """How a type is called on screen and in messages: the contract's word where there is one."""
    return next((word for word, known in CONTRACT.items() if known == type_), str(type_))


def is_number(type_: pa.DataType) -> bool:
    """Whether its values are integers or floats."""
    return bool(pa.types.is_integer(type_) or pa.types.is_floating(type_))


def is_time(type_: pa.DataType) -> bool:
    """Whether its values say when something happened: a timestamp or a date."""
    return bool(pa.types.is_timestamp(type_) or pa.types.is_date(type_))


def lake_type(type_: pa.DataType) -> pa.DataType:
    """The type under which the lake stores values of this one.

    Times in any unit and zone become UTC microseconds; text, binary and numbers the plain kind of their sort;
    a dictionary its values; a time of day text; what a database calls its own (numeric, json, uuid) text.
    """
    if isinstance(type_, pa.BaseExtensionType):
        return pa.string() if isinstance(type_, pa.UuidType) else lake_type(type_.storage_type)
    if pa.types.is_timestamp(type_):
        return TIMESTAMP if type_.tz is not None else type_
    if pa.types.is_dictionary(type_):
        return lake_type(type_.value_type)
    for holds, plain in _PLAIN:
        if holds(type_):
            return plain
    if pa.types.is_list(type_) or pa.types.is_large_list(type_) or pa.types.is_fixed_size_list(type_):
        return pa.list_(lake_type(type_.value_type))
    if pa.types.is_struct(type_):
        return pa.struct([pa.field(f.name, lake_type(f.type)) for f in type_])
    return type_


_PLAIN: Final = (
    (pa.types.is_large_string, pa.string()),
    (pa.types.is_string_view, pa.string()),
    (pa.types.is_large_binary, pa.binary()),
    (pa.types.is_binary_view, pa.binary()),
    (pa.types.is_fixed_size_binary, pa.binary()),
    (pa.types.is_uint8, pa.int16()),
    (pa.types.is_uint16, pa.int32()),
    (pa.types.is_uint32, pa.int64()),
    (pa.types.is_uint64, pa.int64()),
    (pa.types.is_float16, pa.float32()),
    (pa.types.is_date64, pa.date32()),
    (pa.types.is_time, pa.string()),
)


def naive_times(schema: pa.Schema) -> list[str]:
    """Names of the columns that hold times without a zone, inside lists and structs too."""
    return [field.name for field in schema if _has_naive(field.type)]


def is_storable(type_: pa.DataType) -> bool:
    """Whether the lake can have values of this type, as `lake_type` says."""
    if isinstance(type_, pa.OpaqueType):
        # Other than as text they are bytes that only their database reads.
        return bool(pa.types.is_string(type_.storage_type))
    if pa.types.is_nested(type_):
        return all(is_storable(type_.field(i).type) for i in range(type_.num_fields))
    strange = (pa.types.is_interval, pa.types.is_duration, pa.types.is_decimal256)
    return not any(holds(type_) for holds in strange)


def _has_naive(type_: pa.DataType) -> bool:
    if pa.types.is_timestamp(type_):
        return type_.tz is None
    if pa.types.is_dictionary(type_):
        return _has_naive(type_.value_type)
    return pa.types.is_nested(type_) and any(_has_naive(type_.field(i).type) for i in range(type_.num_fields))


def lake_column(column: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """The column in its lake type. Raises pyarrow.ArrowInvalid where a value does not fit (uint64 above 2^63)."""
    target = lake_type(column.type)
    if column.type == target:
        return column
    if isinstance(column.type, pa.UuidType):
        return pa.array([None if value is None else str(value) for value in column.to_pylist()], target)
    if isinstance(column.type, pa.BaseExtensionType):
        return lake_column(pc.cast(column, column.type.storage_type))
    if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
        # Nanoseconds do not matter to anybody here; a refusal because of them would.
        return pc.cast(column, target, safe=False)
    return pc.cast(column, target)


def to_lake(data: pa.Table | pa.RecordBatchReader) -> pa.RecordBatchReader:
    """The same rows in lake types."""
    schema = pa.schema([pa.field(f.name, lake_type(f.type)) for f in data.schema])
    batches = data.to_batches() if isinstance(data, pa.Table) else data

    def converted() -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield pa.RecordBatch.from_arrays([lake_column(c) for c in batch.columns], schema=schema)

    return pa.RecordBatchReader.from_batches(schema, converted())
