"""Incremental reading: fetch from the highest value seen on, and recognise the rows at that edge that came before.

A source is asked for rows *at or after* the cursor, because rows of the same instant may arrive later. So the rows
at the edge come again; the cursor remembers their digests. Without a key it counts them, since two rows may be
equal and both real.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, Literal

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.sources.times import Times
from store.errors import SourceMalformed

_DIGITS: Final = r"^\d{1,18}$"
_DATED: Final = r"\d{4}-\d\d-\d\d"
Kind = Literal["text", "int", "float", "time", "local time", "date"]


@dataclass(frozen=True, kw_only=True)
class Cursor:
    """The highest value seen and the rows that have it."""

    value: str | int | float
    """As the source wrote it; times that came typed are ISO 8601."""
    kind: Kind
    edge: Mapping[str, int] = field(default_factory=dict)
    """Digest of a row at the edge → how many such rows were taken."""

    def to_json(self) -> str:
        return json.dumps({"value": self.value, "kind": self.kind, "edge": dict(self.edge)}, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Cursor:
        return cls(**json.loads(text))

    @classmethod
    def initial(cls, value: str | int | float) -> Cursor:
        """Where a project tells a first run to begin."""
        kinds: dict[type, Kind] = {int: "int", float: "float"}
        return cls(value=value, kind=kinds.get(type(value), "text"))

    @property
    def native(self) -> str | int | float | datetime | date:
        """The value in Python's type for it, for sources that are not text."""
        if self.kind in ("time", "local time"):
            return datetime.fromisoformat(str(self.value))
        return date.fromisoformat(str(self.value)) if self.kind == "date" else self.value

    def before(self, overlap: timedelta) -> Cursor | None:
        """An earlier place, whose rows are not known one by one, written as this one is. None: this is no time."""
        written = str(self.value)
        if not re.match(_DATED, written):
            return None
        try:
            at = datetime.fromisoformat(written) - overlap
        except ValueError:
            return None
        return Cursor(value=_like(at, written), kind=self.kind)

    def raw(self) -> pa.Array:
        """The value as an array of one, of the type in which the source wrote it."""
        types = {
            "text": pa.string(),
            "int": pa.int64(),
            "float": pa.float64(),
            "time": pa.timestamp("us", tz="UTC"),
            "local time": pa.timestamp("us"),
            "date": pa.date32(),
        }
        return pa.array([self.native], types[self.kind])


class Edge:
    """Lets through what was not seen before, and knows where the next run begins."""

    def __init__(
        self, column: str, key: Sequence[str], start: Cursor | None, times: Times, reached: Cursor | None = None
    ) -> None:
        """`start`: where this read begins, of the last complete one; `reached`: how far that one came, if further.
        `column` and `key` as in `sources.NAME.incremental`.
        """
        self._column = column
        self._key = list(key)
        self._times = times
        self._known = Counter(start.edge) if start else Counter()
        self._start = self._comparable(start.raw()) if start else None
        self.cursor = start if reached is None else replace(reached, edge={})  # its rows come once more

    def state(self) -> dict[str, Any]:
        """Plain JSON from which an interrupted read goes on."""
        return {"cursor": self.cursor.to_json() if self.cursor else None, "known": dict(self._known)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a `state`."""
        self.cursor = Cursor.from_json(state["cursor"]) if state["cursor"] else None
        self._known = Counter(state["known"])

    def admit(self, rows: pa.RecordBatch, raw: pa.Array) -> pa.RecordBatch:
        """The rows that are new; the cursor moves on behind them. Raises SourceMalformed."""
        if rows.num_rows == 0:
            return rows
        if pa.types.is_decimal(raw.type) or isinstance(raw.type, pa.OpaqueType):
            raise self._fault(
                f"its values are {raw.type}, which cannot be a cursor: they are compared as text later",
                "make it a whole number in the query, such as n::bigint, or choose a time",
            )
        values = self._values(rows)
        fresh = self._fresh(rows, values)
        admitted = rows.filter(fresh)
        if admitted.num_rows:
            self._advance(admitted, values.filter(fresh), raw.filter(fresh))
        return admitted

    def _values(self, rows: pa.RecordBatch) -> pa.Array:
        if self._column not in rows.schema.names:
            raise self._fault(f"the rows have no column {self._column!r}", "name a column that they have")
        values = rows.column(self._column)
        missing = pc.sum(pc.is_null(values, nan_is_null=True)).as_py()
        if missing:
            raise self._fault(
                f"{missing} of {rows.num_rows} rows have no value in it, so nobody can say if they are new",
                "choose a column that every row has",
            )
        return values

    def _fresh(self, rows: pa.RecordBatch, values: pa.Array) -> pa.Array:
        """Which rows are behind the start, or at it and not seen before; earlier ones were all seen."""
        if self._start is None:
            return pa.array([True] * rows.num_rows)
        values, start = self._alike(values, self._start[0])
        fresh = pc.greater(values, start)
        at_edge = pc.indices_nonzero(pc.equal(values, start)).to_pylist()
        if not at_edge:
            return fresh
        chosen = fresh.to_pylist()
        for index, digest in zip(at_edge, row_digests(rows.take(at_edge), self._key), strict=True):
            chosen[index] = self._known[digest] == 0
            if not self._key:
                self._known[digest] -= 0 if chosen[index] else 1
        return pa.array(chosen)

    def _alike(self, values: pa.Array, known: pa.Scalar | None) -> tuple[pa.Array, pa.Scalar | None]:
        """Both as they grow: digits in text are whole numbers, for as text 10 comes before 9."""
        if known is not None:
            known = self._as(values.type, known)
        if pa.types.is_string(values.type) and _is_digits(values) and (known is None or _is_digits(known)):
            return values.cast(pa.int64()), None if known is None else known.cast(pa.int64())
        return values, known

    def _as(self, type_: pa.DataType, known: pa.Scalar) -> pa.Scalar:
        """A value seen earlier, to be compared with values of this type."""
        try:
            # As text a time would compare, and wrongly.
            if pa.types.is_string(type_) != pa.types.is_string(known.type):
                raise pa.ArrowInvalid
            return known.cast(type_)
        except pa.ArrowInvalid:
            raise self._fault(
                f"some of its values are of type {type_}, and earlier ones went up to {known}",
                "give the column one type at the source",
            ) from None

    def _advance(self, rows: pa.RecordBatch, values: pa.Array, raw: pa.Array) -> None:
        known = None if self.cursor is None else self._comparable(self.cursor.raw())[0]
        values, reached = self._alike(values, known)
        top = pc.max(values)
        if reached is not None and reached.as_py() > top.as_py():
            return
        at_top = rows.filter(pc.equal(values, top))
        counts = Counter(row_digests(at_top, self._key))
        if reached is not None and self.cursor is not None and reached.as_py() == top.as_py():
            counts += Counter(self.cursor.edge)
        value, kind = _written(raw[pc.index(values, top).as_py()])
        self.cursor = Cursor(value=value, kind=kind, edge=dict(counts))

    def _comparable(self, raw: pa.Array) -> pa.Array:
        return self._times.column(self._column, raw, text=pa.types.is_string(raw.type))

    def _fault(self, what: str, remedy: str) -> SourceMalformed:
        return SourceMalformed(what, where=f"{self._times.where}.incremental.column = {self._column!r}", remedy=remedy)


def _like(at: datetime, written: str) -> str:
    """A time in the form of another, to the second: as text it is compared with such."""
    date_only = len(written) == len("2026-01-01")
    said = at.date().isoformat() if date_only else at.isoformat(sep=written[10], timespec="seconds")
    return f"{said.removesuffix('+00:00')}Z" if written.endswith("Z") else said


def _is_digits(text: pa.Array | pa.Scalar) -> bool:
    """Whether all of it is digits, and no more of them than an int64 has."""
    found = pc.match_substring_regex(text, _DIGITS)
    return bool(found.as_py() if isinstance(found, pa.Scalar) else pc.all(found).as_py())


def row_digests(rows: pa.RecordBatch, key: Sequence[str]) -> list[str]:
    """A digest for each row, over its key or else over all of it; 1 and 1.0 are the same value."""
    names = list(key) or sorted(rows.schema.names)
    columns = [[_canonical(v) for v in rows.column(name).to_pylist()] for name in names]
    return [
        hashlib.blake2b(json.dumps(dict(zip(names, row, strict=True))).encode(), digest_size=9).hexdigest()
        for row in zip(*columns, strict=True)
    ]


def _canonical(value: Any) -> Any:
    if isinstance(value, float):
        return int(value) if value.is_integer() else repr(value)
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return str(value)


def _written(scalar: pa.Scalar) -> tuple[str | int | float, Kind]:
    """The source's own value, as JSON can hold it, and what kind of value it was."""
    if pa.types.is_timestamp(scalar.type):
        scalar = scalar.cast(pa.timestamp("us", tz=scalar.type.tz), safe=False)
    value = scalar.as_py()
    match value:
        case datetime():
            return value.isoformat(), "time" if value.tzinfo else "local time"
        case date():
            return value.isoformat(), "date"
        case bool() | str():
            return str(value), "text"
        case int():
            return value, "int"
        case float():
            return value, "float"
        case _:
            return str(value), "text"
