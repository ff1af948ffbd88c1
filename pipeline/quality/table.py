"""Checks of a table as a whole: its size, age, columns and distributions. Judged on the rows that stay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from duckdb import DuckDBPyConnection

from pipeline.config.checks import Distribution, Freshness, RowCount, SchemaCheck
from pipeline.features.pit import column_types, require_columns, type_family
from pipeline.quality.distribution import cells_of, count_cells, is_number
from pipeline.stats.distances import psi
from pipeline.tables.arrow import contract_type
from pipeline.tables.sqltext import identifier, literal
from store.errors import ProjectError

TableCheck = RowCount | Freshness | SchemaCheck | Distribution
_KINDS: Final[Mapping[str, frozenset[str]]] = {
    "string": frozenset({"VARCHAR"}),
    "int64": frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"}),
    "float64": frozenset({"FLOAT", "DOUBLE"}),
    "bool": frozenset({"BOOLEAN"}),
    "timestamp": frozenset({"TIMESTAMP WITH TIME ZONE"}),
    "date": frozenset({"DATE"}),
}
"""Word of a contract → DuckDB types that are it without loss."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    failing: int
    total: int = 1
    detail: str
    sample: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Table:
    """What table checks look at."""

    relation: str
    rows: int
    previous: str | None
    """Relation of the dataset's previous version."""
    now: datetime


def judge_table(connection: DuckDBPyConnection, check: TableCheck, table: Table, where: str) -> Finding:
    """Raises ProjectError for a column that is not there or whose type the check does not fit."""
    match check:
        case RowCount():
            return _row_count(check, table.rows)
        case SchemaCheck():
            return _schema(check, column_types(connection, table.relation), where)
        case Freshness():
            return _freshness(connection, check, table, where)
        case Distribution():
            return _distribution(connection, check, table, where)


def _row_count(check: RowCount, rows: int) -> Finding:
    if check.min is not None and rows < check.min:
        return Finding(failing=1, detail=f"{rows:,} rows, and at least {check.min:,} are expected")
    if check.max is not None and rows > check.max:
        return Finding(failing=1, detail=f"{rows:,} rows, and at most {check.max:,} are expected")
    return Finding(failing=0, detail=f"{rows:,} rows")


def _schema(check: SchemaCheck, columns: Mapping[str, str], where: str) -> Finding:
    wrong = []
    for column, word in check.columns.items():
        contract_type(word, f"{where}.columns.{column}")
        found = columns.get(column)
        if found not in _KINDS[word]:
            wrong.append({"column": column, "expected": word, "found": found})
    said = "; ".join(
        f"{w['column']} is {w['found']}, not {w['expected']}" if w["found"] else f"{w['column']} is not there"
        for w in wrong
    )
    detail = said or f"all {len(check.columns)} columns are there"
    return Finding(failing=len(wrong), total=len(check.columns), detail=detail, sample=wrong[:5])


def _freshness(connection: DuckDBPyConnection, check: Freshness, table: Table, where: str) -> Finding:
    columns = column_types(connection, table.relation)
    require_columns({check.column: f"{where}.column"}, columns, "the dataset")
    kind = columns[check.column]
    if kind != "DATE" and not kind.startswith("TIMESTAMP"):
        raise ProjectError(
            f"the column {check.column!r} is {kind}, and only a time can be fresh",
            where=f"{where}.column",
            remedy="name a column of type timestamp or date",
        )
    column = identifier(check.column)
    # A row of the future says nothing of today, and by one of them alone a source that has ended would be fresh.
    ahead = f"{column} > {literal(table.now)}"
    ((newest, later),) = connection.sql(
        f"SELECT epoch_us(max({column}) FILTER (NOT ({ahead}))), count(*) FILTER ({ahead}) "
        f"FROM {identifier(table.relation)}"
    ).fetchall()
    also = f"; {later:,} rows are ahead of the clock" if later else ""
    if newest is None and later:
        return Finding(failing=0, detail=f"all that have a {check.column} are of now or later{also}")
    if newest is None:
        return Finding(failing=1, detail=f"no row has a {check.column}")
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=newest)
    age = table.now - at
    said = f"the newest {check.column} is {at.isoformat()}, {_spoken(age)} old{also}"
    if age > check.within:
        return Finding(failing=1, detail=f"{said}; at most {_spoken(check.within)} are allowed")
    return Finding(failing=0, detail=said)


def _distribution(connection: DuckDBPyConnection, check: Distribution, table: Table, where: str) -> Finding:
    columns = column_types(connection, table.relation)
    require_columns({check.column: f"{where}.column"}, columns, "the dataset")
    if table.previous is None:
        return Finding(failing=0, detail="there is no previous version to compare with")
    before = column_types(connection, table.previous)
    if check.column not in before:
        return Finding(failing=0, detail=f"the previous version has no {check.column}")
    kind, now = before[check.column], columns[check.column]
    previous, relation = table.previous, table.relation
    if kind != now and is_number(kind) and is_number(now):
        kind = "FLOAT" if "FLOAT" in (kind, now) else "DOUBLE"
        previous = _as(connection, previous, check.column, kind, "_numbers_before")
        relation = _as(connection, relation, check.column, kind, "_numbers_now")
    elif type_family(kind) != type_family(now):
        return Finding(failing=1, detail=f"{check.column} was {kind} and is now {now}")
    cells = cells_of(connection, previous, check.column, kind)
    reference = count_cells(connection, previous, cells)
    rows = min(table.rows, int(reference.sum()))
    if rows < check.min_rows:
        return Finding(failing=0, detail=f"{rows:,} rows are too few to judge: {check.min_rows:,} are needed")
    moved = psi(reference, count_cells(connection, relation, cells))
    said = f"the PSI of {check.column} against the previous version is {moved:.3f}"
    if moved > check.max_psi:
        return Finding(failing=1, detail=f"{said}; at most {check.max_psi:g} is allowed")
    return Finding(failing=0, detail=said)


def _as(connection: DuckDBPyConnection, relation: str, column: str, kind: str, view: str) -> str:
    """A view of one column of numbers as another kind of numbers: 1 and 1.0 are the same, however they were kept."""
    name = identifier(column)
    connection.sql(
        f"CREATE OR REPLACE TEMP VIEW {view} AS SELECT TRY_CAST({name} AS {kind}) AS {name} FROM {identifier(relation)}"
    )
    return view


def _spoken(span: timedelta) -> str:
    """A span in its largest fitting unit."""
    seconds = span.total_seconds()
    for unit, size in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if abs(seconds) >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} seconds"
