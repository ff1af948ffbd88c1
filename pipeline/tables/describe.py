"""What a table looks like: per column type, nulls, distinct values, range and spread; a few rows; its newest time."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing, nullcontext
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.dataset as pads
from duckdb import DuckDBPyConnection

from pipeline.tables.arrow import is_time, word_of
from pipeline.tables.duck import connect
from pipeline.tables.plain import cut, plain
from pipeline.tables.profile import Range, is_binned, is_counted, profile
from pipeline.tables.sqltext import identifier
from store.facts import ColumnFacts

SAMPLE_ROWS: Final = 20
_RELATION: Final = "described_rows"


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
    """Two scans over the rows; `time` names the column whose newest value counts, if it is one (`is_time`).

    `connection`: one of `connect` that is open anyway, for a new one costs more than a small table's scan.
    """
    with closing(connect()) if connection is None else nullcontext(connection) as used:
        return _describe(data, time, used)


def _describe(data: pads.Dataset, time: str | None, connection: DuckDBPyConnection) -> Description:
    asked = ["count(*)", *(part for field in data.schema for part in _questions(field))]
    timed = time is not None and time in data.schema.names and is_time(data.schema.field(time).type)
    asked.append(f"epoch_us(max({identifier(time)})::TIMESTAMPTZ)" if time is not None and timed else "NULL")
    connection.register(_RELATION, data)
    try:
        answer = connection.sql(f"SELECT {', '.join(asked)} FROM {_RELATION}").to_arrow_table()
    finally:
        connection.unregister(_RELATION)
    values = iter([column[0].as_py() for column in answer.columns])
    rows = int(next(values))
    found = {field.name: _Answers(*(next(values) for _ in range(len(_QUESTIONS)))) for field in data.schema}
    histograms, tops = profile(data, _ranges(data.schema, found), _counted(data.schema, found))
    columns = [
        ColumnFacts(
            name=field.name,
            type=word_of(field.type),
            nulls=rows - int(found[field.name].present),
            distinct=found[field.name].distinct,
            low=_shown(found[field.name].low),
            high=_shown(found[field.name].high),
            histogram=histograms.get(field.name),
            top=[top.model_copy(update={"value": cut(top.value)}) for top in tops.get(field.name, [])],
        )
        for field in data.schema
    ]
    return Description(rows=rows, columns=columns, sample=sample_of(data.head(SAMPLE_ROWS)), newest_us=next(values))


def _ranges(schema: pa.Schema, found: Mapping[str, _Answers]) -> dict[str, Range]:
    """Of the columns that have a histogram and a value in it."""
    asked = {field.name: found[field.name] for field in schema if is_binned(field.type)}
    return {
        name: Range(answers.least, answers.greatest)
        for name, answers in asked.items()
        # From the least to the greatest double there is no width that a double could hold.
        if answers.least is not None and answers.greatest is not None and isfinite(answers.greatest - answers.least)
    }


def _counted(schema: pa.Schema, found: Mapping[str, _Answers]) -> dict[str, int]:
    return {field.name: found[field.name].distinct or 0 for field in schema if is_counted(field.type)}


def sample_of(rows: pa.Table) -> list[dict[str, Any]]:
    """The rows as plain JSON values: times as ISO 8601, long texts cut, NaN and infinities as text."""
    return [{name: plain(value) for name, value in row.items()} for row in rows.to_pylist()]


class _Answers(NamedTuple):
    """Of one column, in the order of the questions."""

    present: int
    distinct: int | None
    low: str | None
    high: str | None
    least: float | None
    """The finite range of numbers; of times in microseconds since 1970 UTC."""
    greatest: float | None


_QUESTIONS: Final = _Answers._fields


def _questions(field: pa.Field) -> list[str]:
    """SQL for `_Answers`."""
    name = identifier(field.name)
    if pa.types.is_nested(field.type) or pa.types.is_binary(field.type):
        return [f"count({name})", *["NULL"] * (len(_QUESTIONS) - 1)]
    plain = [f"approx_count_distinct({name})", f"min({name})::VARCHAR", f"max({name})::VARCHAR"]
    return [f"count({name})", *plain, *(_edge(field, function) for function in ("min", "max"))]


def _edge(field: pa.Field, function: str) -> str:
    name = identifier(field.name)
    if not is_binned(field.type):
        return "NULL"
    if pa.types.is_temporal(field.type):
        return f"epoch_us({function}({name})::TIMESTAMPTZ)::DOUBLE"
    if pa.types.is_floating(field.type):
        return f"({function}({name}) FILTER (isfinite({name})))::DOUBLE"
    return f"{function}({name})::DOUBLE"


def _shown(value: str | None) -> str | None:
    return None if value is None else cut(value)
