"""Filter, order and position → the ids of the rows, and how many there are.

Only indexes are walked, from the end that is nearer, and rows are read by id afterwards. Which way is taken:

- no filter, by id: the ids have no holes, so the position says the id;
- a term that few rows fit: an index gives their ids, and those are sorted;
- else the rows are walked in the order that is asked for, each being asked by the filter, until there are enough.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlmodel import Session

from store.errors import Refused
from store.listing.fields import Listing, Sort
from store.listing.terms import Args, Condition, conditions, metric_key, metric_names
from store.patience import driver_of, within
from store.wire.filter import Filter, FilterError, Term, resolve

FEW: Final = 30_000
"""Rows that are sorted rather than walked to."""
_NEAR: Final = 1000
"""Positions up to which one walks from the beginning, without knowing how many there are."""
_COUNT_SECONDS: Final = 0.02
"""What the total of a filtered list may cost; beyond, it is left out."""


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

    def ids(self, driver: sqlite3.Connection, way: str, offset: int, limit: int) -> list[int]:
        order = f"{self.by} {way}, {self.id} {way}" if self.by else f"{self.id} {way}"
        query = f"SELECT {self.id} FROM {self._rows} ORDER BY {order} LIMIT ? OFFSET ?"
        return [row for (row,) in driver.execute(query, (*self.args, limit, offset))]

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
    walks = _walks(driver, listing, asked, name)
    exact = None if asked or name.startswith("metric:") else _size(driver, listing)
    if exact is None and offset > _NEAR:
        exact = _counted(session, walks)
    ids = _take(driver, walks, way, offset, limit, exact)
    if exact is None and len(ids) < limit and (ids or offset == 0):
        exact = offset + len(ids)
    elif exact is None and offset <= _NEAR:
        exact = _counted(session, walks)
    return Picked(ids=ids, total=exact)


def count(session: Session, listing: Listing, q: str, sort: str, now: int) -> int:
    """How many rows there are, however long it takes. Raises Refused."""
    driver = driver_of(session)
    name, _ = _order(sort)
    asked = conditions(driver, listing, q, now)
    if not asked and not name.startswith("metric:"):
        return _size(driver, listing)
    return sum(walk.count(driver) for walk in _walks(driver, listing, asked, name))


def _order(sort: str) -> tuple[str, str]:
    return (sort[1:], "DESC") if sort.startswith("-") else (sort, "ASC")


def _size(driver: sqlite3.Connection, listing: Listing) -> int:
    return int(driver.execute(f"SELECT count(*) FROM {listing.table}").fetchone()[0])


def _counted(session: Session, walks: Sequence[Walk]) -> int | None:
    driver = driver_of(session)
    return within(session, _COUNT_SECONDS, lambda: sum(walk.count(driver) for walk in walks))


# ------------------------------------------------------------------------------------------------------ the position


def _by_position(driver: sqlite3.Connection, listing: Listing, way: str, offset: int, limit: int) -> Picked:
    """The whole list in the order of ids."""
    table = listing.table
    ends = f"SELECT (SELECT min(id) FROM {table}), (SELECT max(id) FROM {table}), (SELECT count(*) FROM {table})"
    low, high, total = driver.execute(ends).fetchone()
    if total and high - low + 1 == total:
        stop = min(offset + limit, total)
        ids = [high - at for at in range(offset, stop)] if way == "DESC" else [low + at for at in range(offset, stop)]
        return Picked(ids=ids, total=total)
    walk = Walk(source=f"{table} NOT INDEXED", where=(), args=(), id=f"{table}.id")
    return Picked(ids=_slice(driver, walk, way, offset, limit, total), total=total)


def _take(
    driver: sqlite3.Connection, walks: Sequence[Walk], way: str, offset: int, limit: int, total: int | None
) -> list[int]:
    """From walks one after the other."""
    ids: list[int] = []
    for walk, size in zip(walks, _sizes(driver, walks, total), strict=True):
        if len(ids) == limit:
            break
        found = _slice(driver, walk, way, offset, limit - len(ids), size)
        if found:
            offset = 0
        elif walk is not walks[-1]:
            offset = max(0, offset - (walk.count(driver) if size is None else size))
        ids += found
    return ids


def _sizes(driver: sqlite3.Connection, walks: Sequence[Walk], total: int | None) -> list[int | None]:
    if total is None or len(walks) == 1:
        return [total] * len(walks)
    last = walks[-1].count(driver)
    return [total - last, last]


def _slice(driver: sqlite3.Connection, walk: Walk, way: str, offset: int, limit: int, size: int | None) -> list[int]:
    """From the nearer end, where the size is known."""
    if size is None or offset <= size // 2:
        return walk.ids(driver, way, offset, limit)
    limit = min(limit, size - offset)
    if limit <= 0:
        return []
    back = walk.ids(driver, "ASC" if way == "DESC" else "DESC", size - offset - limit, limit)
    return back[::-1]


# ----------------------------------------------------------------------------------------------------------- the way


def _walks(driver: sqlite3.Connection, listing: Listing, asked: Sequence[Condition], name: str) -> list[Walk]:
    """The list in the order of `name`, in one or two pieces."""
    few = _few(driver, asked)
    if name.startswith("metric:") and listing.has_metrics:
        return [_by_metric(driver, asked, few, name.removeprefix("metric:"))]
    if name == "id":
        return [_by_id(listing, asked, few)]
    sort = listing.sorts.get(name)
    if sort is None:
        raise _unknown_order(listing, name)
    return _by_field(listing, asked, few, sort)


def _few(driver: sqlite3.Connection, asked: Sequence[Condition]) -> Condition | None:
    """The term that fewest rows fit, if they are few."""
    sizes = []
    for number, condition in enumerate(asked):
        if condition.lead is not None:
            probe = f"SELECT count(*) FROM (SELECT 1 FROM ({condition.lead}) LIMIT {FEW + 1})"
            sizes.append((driver.execute(probe, condition.lead_args).fetchone()[0], number))
    if not sizes or min(sizes)[0] > FEW:
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
        else:
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


def _by_field(listing: Listing, asked: Sequence[Condition], few: Condition | None, sort: Sort) -> list[Walk]:
    table = listing.table
    where, args = _where(f"{table}.id", asked, few)
    source = f"{table} NOT INDEXED" if few else f"{table} INDEXED BY {sort.index}"
    walk = Walk(source=source, where=where, args=args, id=f"{table}.id", by=sort.sql)
    if not sort.nulls:
        return [walk]
    return [
        replace(walk, where=(*where, f"{sort.sql} IS NOT NULL")),
        replace(walk, where=(*where, f"{sort.sql} IS NULL"), by=None),
    ]


def _by_metric(driver: sqlite3.Connection, asked: Sequence[Condition], few: Condition | None, name: str) -> Walk:
    """Runs that have the metric, by its newest value."""
    key = _key_of(driver, name)
    where, args = _where("run.id", asked, few)
    source = "metric_latest INDEXED BY metric_latest_value"
    if few is not None:
        source = "run NOT INDEXED CROSS JOIN metric_latest ON metric_latest.run = run.id"
    elif asked:
        source += " CROSS JOIN run NOT INDEXED ON run.id = metric_latest.run"
    return Walk(
        source=source,
        where=("metric_latest.key = ?", "metric_latest.value IS NOT NULL", *where),
        args=(key, *args),
        id="metric_latest.run",
        by="metric_latest.value",
    )


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
