"""JSON records → Arrow columns.

The union of all keys is the set of columns; a key that a record lacks is missing there. Nested values are kept as
JSON text, so that a column's type does not depend on what happens to be inside; DuckDB reads it with `->>`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from store.errors import SourceMalformed


def to_batch(records: Sequence[Any], types: Mapping[str, pa.DataType], where: str) -> pa.RecordBatch:
    """One batch of all records. Raises SourceMalformed for a record that is no object or a column of mixed types."""
    names: dict[str, None] = {}
    for number, record in enumerate(records):
        if not isinstance(record, dict):
            raise SourceMalformed(
                f"record {number + 1} is {_shown(record)}, not an object",
                where=where,
                remedy="point `records` at a list of objects",
            )
        if record.keys() != names.keys():
            names.update(dict.fromkeys(record))
    columns = {name: _column(name, [r.get(name) for r in records], types.get(name), where) for name in names}
    if not columns:
        return pa.RecordBatch.from_pylist([], schema=pa.schema([]))
    return pa.RecordBatch.from_pydict(columns)


def parse_lines(lines: Sequence[bytes], where: str, first_line: int) -> list[Any]:
    """The values of JSON lines; blank lines do not count. Raises SourceMalformed with the line's number."""
    try:
        # One call for all is several times faster than one a line; only a fault asks which line it was.
        return list(json.loads(b"[" + b",".join(line for line in lines if line.strip()) + b"]"))
    except (ValueError, RecursionError):  # the second: lists in lists in lists
        for number, line in enumerate(lines, first_line):
            _check_line(line, where, number)
        raise SourceMalformed(
            "a record runs over the end of its line", where=where, remedy="write one JSON object a line"
        ) from None


def _check_line(line: bytes, where: str, number: int) -> None:
    try:
        if line.strip():
            json.loads(line)
    except (ValueError, RecursionError) as error:
        raise SourceMalformed(
            f"line {number} is not JSON ({error}): it begins {_shown(line[:80].decode('utf-8', 'replace'))}",
            where=where,
            remedy="mend the line at the source; if the file is cut off, fetch it again",
        ) from None


def _column(name: str, values: list[Any], wanted: pa.DataType | None, where: str) -> pa.Array:
    if wanted == pa.string():
        return pa.array([_as_text(v) for v in values], pa.string())
    try:
        column = pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
        if any(isinstance(v, dict | list) for v in values):
            return pa.array([_as_json(v) for v in values], pa.string())
        raise SourceMalformed(
            f"its values are of several types: {_first_line(error)}",
            where=f"{where}, column {name!r}",
            remedy=f'declare `columns.{name} = "string"` in the dataset to keep them as text',
        ) from None
    return pa.array([_as_json(v) for v in values], pa.string()) if pa.types.is_nested(column.type) else column


def _as_text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _as_json(value: Any) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0]


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:79] + "…"
