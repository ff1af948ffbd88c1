"""A filter's terms as SQL: what each row is asked, and where an index leads to the rows that fit."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from store.errors import Refused
from store.listing.fields import Field, Listing
from store.times import SECOND
from store.wire.filter import FilterError, Term, fold, parse, resolve
from store.wire.quantity import Quantity, quantity

_MOST_LISTED: Final = 1000
"""Values of a field that are looked through for a word; with more, each row is asked."""
_MOST_TERMS: Final = 200
"""SQLite takes a thousand conditions in a row, and nobody means so many."""
_MOST_TRIGRAMS: Final = 40
"""Of a long word: so many lead to few enough rows."""
_TURNED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
Args = tuple[Any, ...]


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One term."""

    plain: str
    """Asked of a row."""
    args: Args
    lead: str | None = None
    """A query for the ids of all rows that fit, by an index."""
    lead_args: Args = ()
    rough: bool = False
    """Whether others are among the rows that `lead` leads to."""
    ordered_by: str | None = None
    """The index in which the rows that fit stand together, in the order of their ids."""
    said: bool = False
    """Whether `plain` reads nothing but what the listing's `word_index` covers."""


def conditions(driver: sqlite3.Connection, listing: Listing, q: str, now: int) -> list[Condition]:
    """Those of the text `q`; `now` in microseconds. Raises Refused for a text that means nothing for this list."""
    try:
        found = resolve(parse(q), listing.fields, metric_names(driver) if listing.has_metrics else ())
    except FilterError as error:
        where = f"filter, character {error.place + 1}"
        raise Refused(error.what, where=where, remedy=error.remedy) from error
    if len(found.terms) > _MOST_TERMS:
        raise Refused(
            f"the filter has {len(found.terms)} terms, and {_MOST_TERMS} are the most",
            where="filter",
            remedy="leave some out; alternatives of one field are one term: state=failed,lost",
        )
    return [_condition(driver, listing, term, now) for term in found.terms]


def metric_names(driver: sqlite3.Connection) -> list[str]:
    return [name for (name,) in driver.execute("SELECT name FROM metric_key")]


def metric_key(driver: sqlite3.Connection, name: str) -> int | None:
    row = driver.execute("SELECT id FROM metric_key WHERE name = ?", (name,)).fetchone()
    return None if row is None else int(row[0])


def _condition(driver: sqlite3.Connection, listing: Listing, term: Term, now: int) -> Condition:
    if term.negated:
        found = _condition(driver, listing, replace(term, negated=False), now)
        return Condition(plain=f"NOT COALESCE({found.plain}, 0)", args=found.args, said=found.said)
    if not term.key:
        return _word(driver, listing, term.values[0])
    field = listing.fields.get(term.key)
    if field is None:
        return _metric(driver, listing, term)
    if term.op == "~":
        return _holds(driver, listing, term, field)
    if term.op == "=":
        return _equals(listing, term, field, now)
    return _ordered(listing, term, field, now)


# ------------------------------------------------------------------------------------------------------------ words


def _word(driver: sqlite3.Connection, listing: Listing, word: str) -> Condition:
    """It stands in one of the listing's words. Where their values are few, they are looked through instead of rows."""
    parts = [part for name in listing.words if (part := _has(driver, listing, listing.fields[name], word)) is not None]
    if not parts:
        return Condition(plain="0", args=(), said=True)
    leads = {part.lead: part for part in parts}  # the fields with trigrams have one in common
    led = None not in leads
    return Condition(
        plain="(" + " OR ".join(part.plain for part in parts) + ")",
        args=tuple(arg for part in parts for arg in part.args),
        lead=" UNION ALL ".join(map(str, leads)) if led else None,
        lead_args=tuple(arg for part in leads.values() for arg in part.lead_args) if led else (),
        rough=any(part.rough for part in parts),
        said=all(part.said for part in parts),
    )


def _has(driver: sqlite3.Connection, listing: Listing, field: Field, word: str) -> Condition | None:
    """The word stands in the field; None if it is in none of its few values."""
    values = _values(driver, listing, field)
    if values is None:
        return _like(listing, field, word)
    fitting = [value for value in values if fold(word) in fold(value)]
    return _led(listing, field, _in(field, fitting), fitting) if fitting else None


def _holds(driver: sqlite3.Connection, listing: Listing, term: Term, field: Field) -> Condition:
    if field.kind != "text":
        raise _unfit(term, field)
    return _has(driver, listing, field, term.values[0]) or Condition(plain="0", args=())


def _like(listing: Listing, field: Field, word: str) -> Condition:
    escaped = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    asked = Condition(plain=f"{field.sql} LIKE ? ESCAPE '\\'", args=(f"%{escaped}%",), said=True)
    trigrams = _trigrams(word)
    if (
        listing.trigrams is None
        or not trigrams
        or field.sql not in {listing.fields[name].sql for name in listing.words}
    ):
        return asked
    lead = f"SELECT rowid FROM {listing.trigrams} WHERE {listing.trigrams} MATCH ?"
    return replace(asked, lead=lead, lead_args=(trigrams,), rough=True)


def _trigrams(word: str) -> str:
    """As FTS5 asks for all of them, in whatever place; nothing for a word that has none."""
    if "\0" in word:  # where SQLite's texts end
        return ""
    found = dict.fromkeys(word[at : at + 3] for at in range(len(word) - 2))
    return " ".join('"' + trigram.replace('"', '""') + '"' for trigram in list(found)[:_MOST_TRIGRAMS])


def _in(field: Field, values: Sequence[str]) -> Condition:
    return Condition(plain=f"{field.sql} IN ({', '.join('?' * len(values))})", args=tuple(values))


def _values(driver: sqlite3.Connection, listing: Listing, field: Field) -> list[str] | None:
    """All values of a field that has few; None for another."""
    if field.words is not None:
        return list(field.words)
    if not field.listed:
        return None
    # From one value to the next by a leap through the index each, however many rows have it.
    leaps = (
        f"WITH RECURSIVE leap(value) AS (SELECT min({field.sql}) FROM {listing.table} UNION ALL "
        f"SELECT (SELECT min({field.sql}) FROM {listing.table} WHERE {field.sql} > leap.value) FROM leap "
        f"WHERE leap.value IS NOT NULL) SELECT value FROM leap WHERE value IS NOT NULL LIMIT {_MOST_LISTED + 1}"
    )
    values = [value for (value,) in driver.execute(leaps)]
    return values if len(values) <= _MOST_LISTED else None


# --------------------------------------------------------------------------------------------------------- equality


def _equals(listing: Listing, term: Term, field: Field, now: int) -> Condition:
    field = replace(field, sql=_value(field, now))
    given: list[Any] = [_exact(term, field, value) for value in term.values if value or field.kind == "text"]
    asked = _in(field, given) if given else Condition(plain="0", args=())
    if "" in term.values:
        return Condition(plain=f"({asked.plain} OR {field.sql} IS NULL)", args=asked.args)
    return _led(listing, field, asked, given)


def _value(field: Field, now: int) -> str:
    """As it is shown: of what is still under way, its value up to now."""
    return field.sql if field.live is None else f"COALESCE({field.sql}, {field.live.sql})".replace(":now", str(now))


def _exact(term: Term, field: Field, value: str) -> Any:
    """The value as the row has it."""
    if field.kind == "text":
        return value
    try:
        found = quantity(value)
    except ValueError:
        raise _unfit(term, field) from None
    if field.kind == "time" or found.kind == "moment":
        raise _unfit(term, field)
    return found.value * (SECOND if field.kind == "duration" else 1)


def _led(listing: Listing, field: Field, asked: Condition, values: Sequence[Any]) -> Condition:
    if field.index is None or field.live is not None or not values:
        return asked
    lead = f"SELECT {listing.table}.id FROM {listing.table} INDEXED BY {field.index} WHERE {asked.plain}"
    together = field.index if len(values) == 1 else None
    return Condition(plain=asked.plain, args=asked.args, lead=lead, lead_args=asked.args, ordered_by=together)


# -------------------------------------------------------------------------------------------------------- ordering


def _ordered(listing: Listing, term: Term, field: Field, now: int) -> Condition:
    op, bound = _bound(term, field, now)
    plain = f"{_value(field, now)} {op} ?"
    if field.index is None:
        return Condition(plain=plain, args=(bound,))
    query = f"SELECT {listing.table}.id FROM {listing.table} INDEXED BY"
    lead = f"{query} {field.index} WHERE {field.sql} {op} ?"
    if field.live is None:
        return Condition(plain=plain, args=(bound,), lead=lead, lead_args=(bound,))
    lead += f" UNION ALL {query} {field.live.index} WHERE {field.live.when} AND {field.live.sql} {op} ?"
    return Condition(plain=plain, args=(bound,), lead=lead.replace(":now", str(now)), lead_args=(bound, bound))


def _bound(term: Term, field: Field, now: int) -> tuple[str, float]:
    """The sign and the number to compare the row's value with."""
    given = term.quantity
    if field.kind == "time":
        if given.kind == "moment":
            return term.op, given.value * SECOND
        if given.kind == "duration":  # younger than this: later than that
            return _TURNED[term.op], now - given.value * SECOND
        raise _unfit(term, field)
    if field.kind == "text" or given.kind == "moment":
        raise _unfit(term, field)
    return term.op, given.value * (SECOND if field.kind == "duration" else 1)


# --------------------------------------------------------------------------------------------------------- metrics


def _metric(driver: sqlite3.Connection, listing: Listing, term: Term) -> Condition:
    """The newest value of the metric `term.key`."""
    key = metric_key(driver, term.key) if listing.has_metrics else None
    if key is None:
        raise _unknown(listing, term)
    if term.op == "~":
        raise Refused(f"{term.key} is a metric: a number", where=str(term), remedy="compare it: = < <= > >=")
    if term.op == "=" and "" in term.values:
        has = "EXISTS (SELECT 1 FROM metric_latest m WHERE m.run = run.id AND m.key = ? AND m.value IS NOT NULL)"
        others = tuple(value for value in term.values if value)
        if not others:
            return Condition(plain=f"NOT {has}", args=(key,))
        inner = _metric(driver, listing, Term(term.key, "=", others))
        return Condition(plain=f"(NOT {has} OR {inner.plain})", args=(key, *inner.args))
    asked, args = _compared(term)
    return Condition(
        plain=f"EXISTS (SELECT 1 FROM metric_latest m WHERE m.run = run.id AND m.key = ? AND m.{asked})",
        args=(key, *args),
        lead=f"SELECT run FROM metric_latest INDEXED BY metric_latest_value WHERE key = ? AND {asked}",
        lead_args=(key, *args),
    )


def _compared(term: Term) -> tuple[str, Args]:
    if term.op != "=":
        return f"value {term.op} ?", (_number(term, term.quantity),)
    try:
        given = [_number(term, quantity(value)) for value in term.values]
    except ValueError:
        raise Refused(f"{term.key} is a metric: a number", where=str(term), remedy="write a number") from None
    return f"value IN ({', '.join('?' * len(given))})", tuple(given)


def _number(term: Term, given: Quantity) -> float:
    if given.kind == "moment":
        raise Refused(f"{term.key} is a metric: no date", where=str(term), remedy="compare it with a number")
    return given.value


# --------------------------------------------------------------------------------------------------------- refusals


def _unknown(listing: Listing, term: Term) -> Refused:
    or_metric = " and no metric" if listing.has_metrics else ""
    return Refused(
        f"{term.key} is no field of {listing.what}{or_metric}",
        where=str(term),
        remedy=f"the fields: {', '.join(_names(listing))}" + ("; or the name of a metric" * listing.has_metrics),
    )


def _names(listing: Listing) -> Iterator[str]:
    yield from sorted(listing.fields)


def _unfit(term: Term, field: Field) -> Refused:
    how = {
        "text": "= (exactly) or ~ (holds)",
        "number": "= < <= > >= and a number",
        "duration": "= < <= > >= and a duration, such as 5m",
        "time": "< <= > >= and an age (2h) or a date (2026-03-01)",
    }
    kind = "text" if field.kind == "text" else f"a {field.kind}"
    return Refused(f"{term.key} is {kind}", where=str(term), remedy=f"compare it by {how[field.kind]}")
