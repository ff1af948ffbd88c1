"""The point-in-time join: for each example the newest feature row that was known at its moment.

A row of a view is *seen* from `max(event time + data_delay, created)` on. For an example at `t`, of the rows seen by
then the one with the newest event time decides, of several versions of it the one created last; its values are NULL
where event time + ttl < t. With `strict`, a row seen at `t` exactly is not seen yet.

One view at a time (duckdb/duckdb#17001: several ASOF joins in one query need many times the memory of each in turn).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from duckdb import DuckDBPyConnection

from pipeline.config.datasets import FeatureView
from pipeline.config.references import nearest
from pipeline.tables.sqltext import identifier
from store.errors import ProjectError

UTC_TIMESTAMP: Final = "TIMESTAMP WITH TIME ZONE"
_FAMILIES: Final[dict[str, str]] = {
    **dict.fromkeys(("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"), "integer"),
    **dict.fromkeys(("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"), "integer"),
    **dict.fromkeys(("FLOAT", "DOUBLE"), "float"),
}


@dataclass(frozen=True, kw_only=True)
class Lookup:
    """What is looked up in one view, and for whom."""

    view: FeatureView
    rows: str
    """Relation with the view's rows, at most one for each (entity, time, created)."""
    examples: str
    """Relation with the examples."""
    row: str
    """Its column that numbers the examples, each number once."""
    at: str
    """Its column with the moment of each example, a timestamp with time zone."""
    on: Mapping[str, str]
    """Entity column of the view → column of the examples."""
    features: Mapping[str, str]
    """Column of the view → its name in the answer."""
    where: str
    """Place in the project file, for errors."""


def point_in_time(connection: DuckDBPyConnection, lookup: Lookup, into: str) -> None:
    """Makes the temporary table `into`: `row` and the features, exactly one row for each example.

    The connection is one of `tables.shape.connect`, which keeps DuckDB from joining by a nested loop.
    An example whose moment or entity is NULL gets NULLs. Raises ProjectError where a column is missing, a time is not
    a timestamp with time zone, or an entity has another type than its column in the examples ("1" is not 1).
    """
    _require_joinable(lookup, column_types(connection, lookup.examples), column_types(connection, lookup.rows))
    connection.sql(f"CREATE OR REPLACE TEMP TABLE {identifier(into)} AS {point_in_time_sql(lookup)}")


def point_in_time_sql(lookup: Lookup) -> str:
    """The join as one DuckDB query."""
    keys = [f"_k{i}" for i in range(len(lookup.on))]
    asked = ", ".join(f"{identifier(column)} AS {key}" for key, column in zip(keys, lookup.on.values(), strict=True))
    same = " AND ".join(f"a.{key} = s.{key}" for key in keys)
    features = "".join(
        f", {_within_ttl(f's._f{i}', lookup.view.ttl)} AS {identifier(name)}"
        for i, name in enumerate(lookup.features.values())
    )
    return f"""
        SELECT a._row AS {identifier(lookup.row)}{features}
        FROM (SELECT {identifier(lookup.row)} AS _row, epoch_us({identifier(lookup.at)}) AS _t, {asked}
              FROM {identifier(lookup.examples)}) a
        ASOF LEFT JOIN ({seen_rows(lookup, keys)}) s
        ON {same} AND a._t {">" if lookup.view.strict else ">="} s._seen"""


def column_types(connection: DuckDBPyConnection, relation: str) -> dict[str, str]:
    """Column → DuckDB type of a relation."""
    described = connection.sql(f"DESCRIBE {identifier(relation)}").fetchall()
    return {name: kind for name, kind, *_ in described}


def require_columns(names: Mapping[str, str], known: Mapping[str, str], table: str) -> None:
    """`names`: column → place where the project names it. Raises ProjectError for the first one not in `known`."""
    for name, where in names.items():
        if name not in known:
            raise ProjectError(
                f"{table} has no column {name!r}{nearest(name, known)}",
                where=where,
                remedy="correct the name, or add the column where the table is made",
            )


def type_family(kind: str) -> str:
    """DuckDB types that compare by value with each other have one family; every other type is its own."""
    return _FAMILIES.get(kind, kind)


def seen_rows(lookup: Lookup, keys: list[str]) -> str:
    """SQL: rows with entity `keys`, the time `_seen` they answer from, event time `_e` (for a TTL), features `_f…`.

    Without `created`, a newer row is always seen later, so each row answers from its `_seen` until the next one's.
    With it, a row that was known late may be older than one seen before; such a row never answers. What is left
    grows in event time as it grows in `_seen`, so the last row seen is the newest one, and ASOF may take it.
    """
    view = lookup.view
    entity = ", ".join(f"{identifier(c)} AS {key}" for key, c in zip(keys, lookup.on, strict=True))
    values = "".join(f", {identifier(column)} AS _f{i}" for i, column in enumerate(lookup.features))
    event = f"epoch_us({identifier(view.time)})"
    landed = f"{event} + {_microseconds(view.data_delay)}"
    source = f"FROM {identifier(lookup.rows)} WHERE {identifier(view.time)} IS NOT NULL"
    age = f", {event} AS _e" if view.ttl is not None else ""
    if view.created is None:
        return f"SELECT {entity}, {landed} AS _seen{age}{values} {source}"
    created = f"epoch_us({identifier(view.created)})"
    kept = ", ".join([*keys, "_seen", *(["_e"] if age else []), *(f"_f{i}" for i in range(len(lookup.features)))])
    return f"""
        SELECT {kept} FROM (
            SELECT {entity}, {event} AS _e, {created} AS _c, greatest({landed}, {created}) AS _seen{values}
            {source} AND {created} IS NOT NULL)
        WINDOW before AS (PARTITION BY {", ".join(keys)} ORDER BY _seen, _e DESC, _c DESC
                          ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
        QUALIFY coalesce(_e > max(_e) OVER before
                         OR (_e = max(_e) OVER before AND _seen > max(_seen) OVER before), TRUE)"""


def _within_ttl(value: str, ttl: timedelta | None) -> str:
    return value if ttl is None else f"CASE WHEN s._e + {_microseconds(ttl)} >= a._t THEN {value} END"


def _microseconds(span: timedelta) -> int:
    return span // timedelta(microseconds=1)


def _require_joinable(lookup: Lookup, examples: Mapping[str, str], rows: Mapping[str, str]) -> None:
    view = lookup.view
    times = [view.time, *([view.created] if view.created else [])]
    require_columns(dict.fromkeys([*lookup.on.values(), lookup.at], lookup.where), examples, "the dataset")
    require_columns(dict.fromkeys([*lookup.on, *times, *lookup.features], lookup.where), rows, "the feature view")
    for column, kind in [(lookup.at, examples[lookup.at]), *((time, rows[time]) for time in times)]:
        require_utc(column, kind, lookup.where)
    for entity, column in lookup.on.items():
        if type_family(rows[entity]) != type_family(examples[column]):
            raise ProjectError(
                f"the entity {entity!r} is {rows[entity]} in the view, but {column!r} is {examples[column]} in the "
                "dataset: such keys never mean the same",
                where=lookup.where,
                remedy="cast one of them in the SQL that makes it",
            )


def require_utc(column: str, kind: str, where: str) -> None:
    """Raises ProjectError unless the DuckDB type `kind` says a moment in time, not a reading of some clock."""
    if kind != UTC_TIMESTAMP:
        raise ProjectError(
            f"the column {column!r} is {kind}, which is no moment in time: a timestamp with time zone is needed",
            where=where,
            remedy=f"say its zone where it is made, as in `{column} AT TIME ZONE 'UTC' AS {column}`",
        )
