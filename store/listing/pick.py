"""Filter, order and position → the ids of the rows, and how many there are.

Only indexes are walked, from the end that is nearer, and rows are read by id afterwards. Which way is taken:

- no filter, by id: where the ids have no holes the position says the id, else an index in their order is walked;
- a term that few rows fit: an index gives their ids, and those are sorted;
- else the rows are walked in the order that is asked for, each being asked by the filter, until there are enough;
- and where that takes long, because the order jumps about in the table and few rows fit, the rows that fit are gathered
  in the order of the table, and then sorted.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from sqlmodel import Session

from store.errors import Refused
from store.listing.fields import Listing, Sort
from store.listing.terms import Args, Condition, conditions, metric_key, metric_names
from store.patience import driver_of, within
from store.wire.filter import Filter, FilterError, Term, resolve

Way = Literal["ASC", "DESC"]
FEW: Final = 30_000
"""Rows that are sorted rather than walked to."""
_NEAR: Final = 1000
"""Positions up to which one walks from the beginning, without knowing how many there are."""
MANY: Final = 100_000
"""Rows that are read one by one rather than with the whole table."""
_COUNT_SECONDS: Final = 0.02
"""CPU time that the total of a filtered list may cost; beyond, it is left out."""
_WALK_SECONDS: Final = 0.05
_ROW_SECONDS: Final = 3e-6
"""CPU time that is given to walking, and more for each position, before the rows are gathered instead."""


@dataclass(frozen=True, kw_only=True)
class Picked:
    ids: list[int]
    total: int | None


@dataclass(frozen=True, kw_only=True)
class Walk:
    """Rows in an order."""

    source: str
    where: tuple[str, ...]
    args: Args
    id: str
    by: str | None = None
    """What they are sorted by before their id."""
    gathered: Walk | None = None
    """The same rows from the table in its own order, sorted afterwards."""

    def ids(self, driver: sqlite3.Connection, way: Way, offset: int, limit: int, *, back: bool = False) -> list[int]:
        """`back`: from the other end."""
        turned = back != (way == "DESC")
        to = "DESC" if turned else "ASC"
        # What has no value comes last, whichever way the others go; SQLite walks the index in two pieces for that.
        value = f"{self.by} {to} NULLS {'FIRST' if back else 'LAST'}, " if self.by else ""
        query = f"SELECT {self.id} FROM {self._rows} ORDER BY {value}{self.id} {to} LIMIT ? OFFSET ?"
        found = [row for (row,) in driver.execute(query, (*self.args, limit, offset))]
        return found[::-1] if back else found

    def count(self, driver: sqlite3.Connection) -> int:
        return int(driver.execute(f"SELECT count(*) FROM {self._rows}", self.args).fetchone()[0])

    @property
    def _rows(self) -> str:
        return f"{self.source} WHERE {' AND '.join(self.where)}" if self.where else self.source


def pick(session: Session, listing: Listing, q: str, sort: str, offset: int, limit: int, now: int) -> Picked:
    """Raises Refused for a filter or an order that the list does not know."""
    driver = driver_of(session)
    name, way = _order(sort)
    asked = conditions(driver, listing, q, now)
    if not asked and name == "id":
        return _by_position(driver, listing, way, offset, limit)
    walk = _walk(driver, listing, asked, name)
    total = None if asked or name.startswith("metric:") else _size(driver, listing)
    if total is None and offset > _NEAR:
        total = within(session, _COUNT_SECONDS, lambda: _count(driver, listing, asked, name))
    ids = _found(session, walk, way, offset, limit, total)
    if total is None and len(ids) < limit and (ids or offset == 0):
        total = offset + len(ids)
    elif total is None and offset <= _NEAR:
        total = within(session, _COUNT_SECONDS, lambda: _count(driver, listing, asked, name))
    return Picked(ids=ids, total=total)


def count(session: Session, listing: Listing, q: str, sort: str, now: int) -> int:
    """How many rows there are, however long it takes. Raises Refused."""
    driver = driver_of(session)
    name, _ = _order(sort)
    return _count(driver, listing, conditions(driver, listing, q, now), name)


def _count(driver: sqlite3.Connection, listing: Listing, asked: Sequence[Condition], name: str) -> int:
    if name.startswith("metric:"):
        return _walk(driver, listing, asked, name).count(driver)
    return _by_id(listing, asked, _few(driver, asked, FEW)).count(driver) if asked else _size(driver, listing)


def _size(driver: sqlite3.Connection, listing: Listing) -> int:
    return int(driver.execute(f"SELECT count(*) FROM {listing.table}").fetchone()[0])


def _order(sort: str) -> tuple[str, Way]:
    return (sort[1:], "DESC") if sort.startswith("-") else (sort, "ASC")


# ------------------------------------------------------------------------------------------------------ the position


def _by_position(driver: sqlite3.Connection, listing: Listing, way: Way, offset: int, limit: int) -> Picked:
    """The whole list in the order of ids."""
    table = listing.table
    ends = f"SELECT (SELECT min(id) FROM {table}), (SELECT max(id) FROM {table}), (SELECT count(*) FROM {table})"
    low, high, total = driver.execute(ends).fetchone()
    if total and high - low + 1 == total:
        shown = range(offset, min(offset + limit, total))
        return Picked(ids=[high - at if way == "DESC" else low + at for at in shown], total=total)
    known = listing.by_number
    source = f"{table} NOT INDEXED" if known is None else f"{table} INDEXED BY {known.index}"
    walk = Walk(source=source, where=(), args=(), id=f"{table}.id", by=None if known is None else known.sql)
    return Picked(ids=_slice(driver, walk, way, offset, limit, total), total=total)


def _found(session: Session, walk: Walk, way: Way, offset: int, limit: int, total: int | None) -> list[int]:
    """By walking, or where that takes long by gathering."""
    driver, gathered = driver_of(session), walk.gathered
    if gathered is None:
        return _slice(driver, walk, way, offset, limit, total)
    seconds = _WALK_SECONDS + _ROW_SECONDS * offset
    found = within(session, seconds, lambda: _slice(driver, walk, way, offset, limit, total))
    return _slice(driver, gathered, way, offset, limit, total) if found is None else found


def _slice(driver: sqlite3.Connection, walk: Walk, way: Way, offset: int, limit: int, total: int | None) -> list[int]:
    """From the nearer end, where it is known how many there are."""
    if total is None or offset <= total // 2:
        return walk.ids(driver, way, offset, limit)
    limit = min(limit, total - offset)
    return walk.ids(driver, way, total - offset - limit, limit, back=True) if limit > 0 else []


# ----------------------------------------------------------------------------------------------------------- the way


def _walk(driver: sqlite3.Connection, listing: Listing, asked: Sequence[Condition], name: str) -> Walk:
    """The list in the order of `name`."""
    if name.startswith("metric:") and listing.has_metrics:
        return _by_metric(driver, asked, name.removeprefix("metric:"))
    if name == "id":
        return _by_id(listing, asked, _few(driver, asked, FEW))
    sort = listing.sorts.get(name)
    if sort is None:
        raise _unknown_order(listing, name)
    return _by_field(driver, listing, asked, sort)


def _few(driver: sqlite3.Connection, asked: Sequence[Condition], limit: int) -> Condition | None:
    """The term that fewest rows fit, if they are not more than `limit`."""
    sizes = []
    for number, condition in enumerate(asked):
        if condition.lead is not None:
            probe = f"SELECT count(*) FROM (SELECT 1 FROM ({condition.lead}) LIMIT {limit + 1})"
            sizes.append((driver.execute(probe, condition.lead_args).fetchone()[0], number))
    if not sizes or min(sizes)[0] > limit:
        return None
    return asked[min(sizes)[1]]


def _where(listing_id: str, asked: Sequence[Condition], few: Condition | None) -> tuple[tuple[str, ...], Args]:
    """All terms; the one that few rows fit as the list of their ids."""
    where: list[str] = []
    args: list[object] = []
    for condition in asked:
        if condition is few:
            where.append(f"{listing_id} IN ({condition.lead})")
            args += condition.lead_args
        if condition is not few or condition.rough:
            where.append(condition.plain)
            args += condition.args
    return tuple(where), tuple(args)


def _by_id(listing: Listing, asked: Sequence[Condition], few: Condition | None) -> Walk:
    table = listing.table
    where, args = _where(f"{table}.id", asked, few)
    together = next((condition.ordered_by for condition in asked if condition.ordered_by), None)
    if together is not None and (few is None or few.ordered_by):
        together = few.ordered_by if few is not None else together
        where, args = _where(f"{table}.id", asked, None)
        source = f"{table} INDEXED BY {together}"
    elif few is None and asked and listing.word_index and all(condition.said for condition in asked):
        source = f"{table} INDEXED BY {listing.word_index}"
    else:
        source = f"{table} NOT INDEXED"
    return Walk(source=source, where=where, args=args, id=f"{table}.id")


def _by_field(driver: sqlite3.Connection, listing: Listing, asked: Sequence[Condition], sort: Sort) -> Walk:
    id = f"{listing.table}.id"
    where, args = _where(id, asked, None)
    walk = Walk(source=f"{listing.table} INDEXED BY {sort.index}", where=where, args=args, id=id, by=sort.sql)
    if not asked:
        return walk
    few = _few(driver, asked, FEW)
    where, args = _where(id, asked, few or _few(driver, asked, MANY))
    said = listing.word_index and all(condition.said for condition in asked)
    source = f"{listing.table} INDEXED BY {listing.word_index}" if said else f"{listing.table} NOT INDEXED"
    gathered = replace(walk, source=source, where=where, args=args)
    return gathered if few else replace(walk, gathered=gathered)


def _by_metric(driver: sqlite3.Connection, asked: Sequence[Condition], name: str) -> Walk:
    """Runs that have the metric, by its newest value."""
    few = _few(driver, asked, FEW)
    where, args = _where("run.id", asked, few)
    by_value = "metric_latest INDEXED BY metric_latest_value"
    by_run = "run NOT INDEXED CROSS JOIN metric_latest ON metric_latest.run = run.id"
    walk = Walk(
        source=by_value + (" CROSS JOIN run NOT INDEXED ON run.id = metric_latest.run" if asked else ""),
        where=("metric_latest.key = ?", "metric_latest.value IS NOT NULL", *where),
        args=(_key_of(driver, name), *args),
        id="metric_latest.run",
        by="metric_latest.value",
    )
    gathered = replace(walk, source=by_run)
    if few:
        return gathered
    return replace(walk, gathered=gathered) if asked else walk


def _key_of(driver: sqlite3.Connection, name: str) -> int:
    names = metric_names(driver)
    if name not in names:
        try:
            name = resolve(Filter((Term(name, "=", ("",)),)), (), names).terms[0].key
        except FilterError as error:
            raise Refused(error.what, where="sort", remedy=error.remedy) from error
    key = metric_key(driver, name)
    if key is None:
        raise Refused(f"no run has a metric {name}", where="sort", remedy=f"there are: {', '.join(names) or 'none'}")
    return key


def _unknown_order(listing: Listing, name: str) -> Refused:
    known = ", ".join(["id", *listing.sorts, *(["metric:NAME"] if listing.has_metrics else [])])
    return Refused(
        f"{listing.what} cannot be sorted by {name!r}",
        where="sort",
        remedy=f"there are {known}, each with a - before it the other way round",
    )
