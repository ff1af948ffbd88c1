"""What a table looks like: per column its type, nulls, distinct values and range; a few rows; its newest time."""

from __future__ import annotations

import base64
from contextlib import closing, nullcontext
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa
import pyarrow.dataset as pads
from duckdb import DuckDBPyConnection

from pipeline.tables.arrow import word_of
from pipeline.tables.shape import connect
from pipeline.tables.sqltext import identifier
from store.facts import ColumnFacts

SAMPLE_ROWS: Final = 20
_RELATION: Final = "described_rows"
_SHOWN: Final = 200
"""Characters of a text that are shown."""


@dataclass(frozen=True, kw_only=True)
class Description:
    rows: int
    columns: list[ColumnFacts]
    """`distinct` is approximate (HyperLogLog, a few per cent)."""
    sample: list[dict[str, Any]]
    """The first rows, as plain JSON values."""
    newest_us: int | None
    """Greatest value of the time column, microseconds since 1970 UTC."""


def describe(data: pads.Dataset, time: str | None = None, connection: DuckDBPyConnection | None = None) -> Description:
    """One scan over the rows; `time` names the column whose newest value counts (a timestamp or a date).

    `connection`: one of `connect` that is open anyway, for a new one costs more than a small table's scan.
    """
    with closing(connect()) if connection is None else nullcontext(connection) as used:
        return _describe(data, time, used)


def _describe(data: pads.Dataset, time: str | None, connection: DuckDBPyConnection) -> Description:
    asked = ["count(*)", *(part for field in data.schema for part in _questions(field))]
    asked.append(f"epoch_us(max({identifier(time)})::TIMESTAMPTZ)" if time in data.schema.names and time else "NULL")
    connection.register(_RELATION, data)
    try:
        answer = connection.sql(f"SELECT {', '.join(asked)} FROM {_RELATION}").to_arrow_table()
    finally:
        connection.unregister(_RELATION)
    values = iter([column[0].as_py() for column in answer.columns])
    rows = int(next(values))
    columns = [
        ColumnFacts(
            name=field.name,
            type=word_of(field.type),
            nulls=rows - int(next(values)),
            distinct=next(values),
            low=_shown(next(values)),
            high=_shown(next(values)),
        )
        for field in data.schema
    ]
    return Description(rows=rows, columns=columns, sample=sample_of(data.head(SAMPLE_ROWS)), newest_us=next(values))


def sample_of(rows: pa.Table) -> list[dict[str, Any]]:
    """The rows as plain JSON values: times as ISO 8601, long texts cut, NaN and infinities as text."""
    return [{name: plain(value) for name, value in row.items()} for row in rows.to_pylist()]


def plain(value: Any) -> Any:
    """A value as JSON can hold it."""
    match value:
        case None | bool() | int():
            return value
        case float():
            return value if value - value == 0 else str(value)
        case datetime() | date():
            return value.isoformat()
        case Decimal():
            return str(value)
        case bytes():
            return _cut(base64.b64encode(value).decode())
        case list() | tuple():
            return [plain(v) for v in value]
        case dict():
            return {str(k): plain(v) for k, v in value.items()}
        case _:
            return _cut(str(value))


def _questions(field: pa.Field) -> list[str]:
    """SQL for: values that are not null, distinct values, lowest, highest (as text)."""
    name = identifier(field.name)
    if pa.types.is_nested(field.type) or pa.types.is_binary(field.type):
        return [f"count({name})", "NULL", "NULL", "NULL"]
    return [f"count({name})", f"approx_count_distinct({name})", f"min({name})::VARCHAR", f"max({name})::VARCHAR"]


def _shown(value: str | None) -> str | None:
    return None if value is None else _cut(value)


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
