"""Times: whatever a source writes becomes UTC microseconds, or is refused when nobody says what zone it is in."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.tables.arrow import TIMESTAMP, is_storable, lake_column, naive_times
from store.errors import ProjectError, SourceMalformed

_TIME: Final = r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?"
_OFFSET: Final = r"(Z|[+-]\d\d(:?\d\d)?)$"
_WITH_OFFSET: Final = _TIME + _OFFSET
_LOCAL: Final = _TIME + "$"
_DATE: Final = r"^\d{4}-\d\d-\d\d$"


@dataclass(frozen=True, kw_only=True)
class Times:
    """The rules for one source."""

    where: str
    """`sources.NAME`, for messages."""
    zone: str | None
    """IANA zone of times without an offset."""
    types: Mapping[str, pa.DataType] = field(default_factory=dict)
    """Types that columns are wanted in: a text that is wanted as text is left alone."""

    def rows(self, rows: pa.RecordBatch, *, text: bool) -> pa.RecordBatch:
        """The rows in lake types, times in UTC.

        `text`: the format has no type for times, so columns full of ISO 8601 become times and dates.
        Raises SourceMalformed for a time without an offset and no zone, for local times that never were, and for two
        columns of one name.
        """
        twins = [name for name, count in Counter(rows.schema.names).items() if count > 1]
        if twins:
            raise SourceMalformed(
                f"two columns have the same name: {', '.join(twins)}",
                where=self.where,
                remedy="give each its own name at the source, with AS in a query",
            )
        columns = [self.column(n, c, text=text) for n, c in zip(rows.schema.names, rows.columns, strict=True)]
        return pa.RecordBatch.from_arrays(columns, rows.schema.names)

    def column(self, name: str, column: pa.Array, *, text: bool) -> pa.Array:
        """One column, in its lake type."""
        if text and pa.types.is_string(column.type) and self.types.get(name) != pa.string():
            column = self._from_text(name, column)
        if pa.types.is_timestamp(column.type) and column.type.tz is None:
            return self._localized(name, column)
        if naive_times(pa.schema([pa.field(name, column.type)])):
            raise self._fault(name, "times without an offset inside a list or struct", "give them an offset")
        if not is_storable(column.type):
            what = f"values of type {column.type} cannot be stored"
            raise self._fault(name, what, "make numbers or text of them in the query or the function")
        try:
            return lake_column(column)
        except pa.ArrowInvalid as error:
            raise self._fault(name, str(error), "mend the value at the source") from None

    def _from_text(self, name: str, column: pa.Array) -> pa.Array:
        wanted = self.types.get(name)
        first = next((v.as_py() for v in column if v.is_valid), None)
        if first is None:
            return column if wanted == pa.string() else pa.nulls(len(column))
        for pattern, parse in ((_WITH_OFFSET, _instants), (_LOCAL, _locals), (_DATE, _dates)):
            if re.match(pattern, first) and pc.all(pc.match_substring_regex(column, pattern)).as_py():
                return self._parsed(name, column, parse)
        if wanted == TIMESTAMP:
            raise self._not_times(name, column)
        return column

    def _parsed(self, name: str, column: pa.Array, parse: Callable[[pa.Array], pa.Array]) -> pa.Array:
        try:
            return parse(column)
        except pa.ArrowInvalid as error:
            if self.types.get(name) != TIMESTAMP:
                return column
            raise self._fault(name, str(error), "mend the value at the source") from None

    def _localized(self, name: str, column: pa.Array) -> pa.Array:
        if column.null_count == len(column):
            return pa.nulls(len(column), TIMESTAMP)
        if self.zone is None:
            shown = next(v.as_py() for v in column if v.is_valid)
            raise SourceMalformed(
                f"the times of {name!r} say no offset (such as {shown}), so nobody can say which moment they mean",
                where=self.where,
                remedy=f'add `timezone = "…"` (an IANA zone, such as "Europe/Berlin") to [{self.where}]',
            )
        try:
            # The hour that comes twice in autumn is taken as the first of the two; there is no better guess.
            moments = pc.assume_timezone(column.cast(pa.timestamp("us"), safe=False), self.zone, ambiguous="earliest")
            return moments.cast(TIMESTAMP)
        except pa.ArrowInvalid as error:
            if "zone" in str(error) and "doesn't exist" not in str(error):
                raise ProjectError(
                    f"there is no time zone {self.zone!r}", where=f"{self.where}.timezone", remedy="use an IANA name"
                ) from None
            raise self._fault(name, f"a local time that never was: {error}", "mend the value at the source") from None

    def _not_times(self, name: str, column: pa.Array) -> SourceMalformed:
        matches = pc.match_substring_regex(column, _TIME + f"({_OFFSET[:-1]})?$")
        bad = next((v.as_py() for v, good in zip(column, matches, strict=True) if good.as_py() is False), None)
        if bad is None:
            return self._fault(name, "some of its times say an offset and some do not", "make them alike")
        return self._fault(name, f"{bad!r} is not a time in ISO 8601", "mend the value at the source")

    def _fault(self, name: str, what: str, remedy: str) -> SourceMalformed:
        return SourceMalformed(what, where=f"{self.where}, column {name!r}", remedy=remedy)


def _instants(column: pa.Array) -> pa.Array:
    return _micros(column).cast(TIMESTAMP)


def _locals(column: pa.Array) -> pa.Array:
    return _micros(column).cast(pa.timestamp("us"))


def _dates(column: pa.Array) -> pa.Array:
    return column.cast(pa.date32())


def _micros(column: pa.Array) -> pa.Array:
    """The texts with at most six digits of a second."""
    return pc.replace_substring_regex(column, r"(\.\d{6})\d+", r"\1")
