"""Where a table's rows come from: the daemon, by position; or a list that is here already."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Protocol, TypeVar

from tui.failure import Usage
from tui.table.column import Column, Frame

if TYPE_CHECKING:
    from tui.client import Client

R = TypeVar("R")


@dataclass(frozen=True)
class Query:
    """What is wanted of a list."""

    filter: str = ""
    sort: str = ""
    """A column's key, `-` before it for descending; empty: the source's own order."""

    def filtered(self, text: str) -> Query:
        return replace(self, filter=text)

    def sorted(self, sort: str) -> Query:
        return replace(self, sort=sort)


class Slice(NamedTuple, Generic[R]):
    """Rows `offset` … `offset + len(items) - 1` of the answer to a query."""

    items: Sequence[R]
    offset: int
    total: int | None
    """Rows of the whole answer; None where counting has to be asked for by itself."""


class Source(Protocol[R]):
    """Rows by position."""

    local: bool
    """Whether `window` answers at once, without the daemon."""

    def key(self, row: R) -> Hashable:
        """What a row stays the same by."""
        ...

    def window(self, daemon: Client, query: Query, offset: int, limit: int) -> Slice[R]:
        """Called in a thread, unless the source is local. Raises Failure."""
        ...

    def count(self, daemon: Client, query: Query) -> int:
        """Rows of the whole answer. Called in a thread where `window` did not say."""
        ...


@dataclass
class ListSource(Generic[R]):
    """A list that is here: filtered and sorted in memory, for what a project has by the dozen."""

    columns: Sequence[Column[R]]
    identify: Callable[[R], Hashable]
    frame: Callable[[], Frame]
    rows: Sequence[R] = ()
    waiting: bool = False
    """The rows are still to come: the daemon is being asked."""
    local: bool = field(default=True, init=False)

    def key(self, row: R) -> Hashable:
        return self.identify(row)

    def window(self, daemon: Client, query: Query, offset: int, limit: int) -> Slice[R]:
        found = self.answer(query)
        return Slice(found[offset : offset + limit], offset, len(found))

    def count(self, daemon: Client, query: Query) -> int:
        return len(self.answer(query))

    def answer(self, query: Query) -> Sequence[R]:
        """All rows that match, in order. Raises Usage for a filter that cannot mean anything."""
        rows = self.rows
        if query.filter:
            from store.wire.filter import FilterError, matches, parse

            try:
                wanted = parse(query.filter)
            except FilterError as error:
                where = f"filter, character {error.place + 1}"
                raise Usage(error.what, where=where, remedy=error.remedy) from None
            rows = [row for row in rows if matches(wanted, self.fields(row))]
        if query.sort:
            # Columns that are only known with the rows may be others by now: another version of a table, other runs.
            column = next((c for c in self.columns if c.key == query.sort.removeprefix("-")), None)
            if column is not None:
                place = column.order or (lambda row: self._value(column, row))
                rows = sorted(rows, key=lambda row: _order(place(row)), reverse=query.sort.startswith("-"))
        return rows

    def fields(self, row: R) -> dict[str, str | float | int | None]:
        """A row as a filter sees it."""
        return {column.key: self._value(column, row) for column in self.columns}

    def _value(self, column: Column[R], row: R) -> str | float | int | None:
        return column.value(row) if column.value else column.draw(row, self.frame()).text


def _order(value: Any) -> tuple[int, Any]:
    """Nothing first, then numbers, then texts: a mixed column must not fail."""
    if value is None:
        return 0, 0
    return (2, value.casefold()) if isinstance(value, str) else (1, value)
