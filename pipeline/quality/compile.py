"""Row checks as SQL conditions over the columns of the relation they judge: pure, and refused before a row is read."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np

from pipeline.config.checks import Accepted, ForeignKey, NotNull, Range, Regex, SqlRule, Unique
from pipeline.features.pit import require_columns, type_family
from pipeline.tables.sqltext import Literal, identifier, literal
from store.errors import ProjectError

AnyRowCheck = NotNull | Unique | Accepted | Range | Regex | ForeignKey | SqlRule
Columns = Mapping[str, str]
"""Column → DuckDB type."""
FLOAT32_MOST: Final = float(np.finfo(np.float32).max)


@dataclass(frozen=True, kw_only=True)
class ReferenceTable:
    """A dataset that foreign keys point to."""

    relation: str
    columns: Columns


References = Mapping[str, ReferenceTable]
"""By the names of the datasets."""


@dataclass(frozen=True, kw_only=True)
class RowRule:
    """A row check, compiled."""

    complaint: str
    """What is wrong with a breaking row, to follow "3 of 100 rows"."""
    broken: str
    """SQL condition, never NULL, over the rows of the table that is judged."""
    untried: str | None = None
    """Of a rule in SQL its own text, which raises on a row that could not be judged."""


def compile_row_check(
    check: AnyRowCheck, columns: Columns, references: References, *, rows: str, where: str
) -> RowRule:
    """`rows`: SQL name of the table that is judged; `where`: the check's place in the project file.
     Values that are not there break only not_null.

    Raises ProjectError for a column that is not there or whose type
    the check does not fit.
    """
    match check:
        case NotNull():
            kind = _type_of(check.column, columns, where)
            return RowRule(broken=_missing(check.column, kind), complaint=f"have no {check.column}")
        case Unique():
            for column in check.columns:
                _type_of(column, columns, f"{where}.columns")
            return RowRule(
                broken=_repeats(check.columns, rows),
                complaint=f"repeat the {', '.join(check.columns)} of an earlier row",
            )
        case Accepted():
            return _accepted(check, columns, where)
        case Range():
            return _range(check, columns, where)
        case Regex():
            return _regex(check, columns, where)
        case ForeignKey():
            return _foreign_key(check, columns, references, where)
        case SqlRule():
            rule = f"(\n{check.rule}\n)"
            # TRY: an error on one row is that row's, and is told apart from a plain "no" afterwards, on few rows.
            return RowRule(broken=f"TRY({rule}) IS NOT TRUE", complaint="do not fulfil the rule", untried=rule)


def _accepted(check: Accepted, columns: Columns, where: str) -> RowRule:
    kind = _type_of(check.column, columns, where)
    for value in check.values:
        _require_comparable(value, check.column, kind, f"{where}.values")
    allowed = ", ".join(_as_kept(value, kind) for value in check.values)
    column = identifier(check.column)
    shown = ", ".join(str(value) for value in check.values[:5]) + (", …" if len(check.values) > 5 else "")
    return RowRule(
        broken=f"coalesce({column} NOT IN ({allowed}), FALSE)", complaint=f"have another {check.column} than {shown}"
    )


def _range(check: Range, columns: Columns, where: str) -> RowRule:
    kind = _type_of(check.column, columns, where)
    column = identifier(check.column)
    limits = [(check.min, "<", "min"), (check.max, ">", "max")]
    tests = [f"isnan({column})"] if type_family(kind) == "float" else []
    for bound, beyond, key in limits:
        if bound is not None:
            _require_comparable(bound, check.column, kind, f"{where}.{key}")
            tests.append(f"{column} {beyond} {_as_kept(bound, kind)}")
    if check.min is None and check.max is None:
        raise ProjectError("the range has no limits", where=where, remedy="give it min, max or both")
    low, high = (f"{b:g}" if isinstance(b, float) else str(b) for b in (check.min, check.max))
    words = {(True, True): f"between {low} and {high}", (True, False): f"{low} or more"}
    said = words.get((check.min is not None, check.max is not None), f"{high} or less")
    return RowRule(
        broken=f"coalesce({' OR '.join(tests)}, FALSE)", complaint=f"have a {check.column} that is not {said}"
    )


def _regex(check: Regex, columns: Columns, where: str) -> RowRule:
    kind = _type_of(check.column, columns, where)
    if type_family(kind) != "VARCHAR":
        raise ProjectError(
            f"the column {check.column!r} is {kind}, and a regular expression judges text",
            where=where,
            remedy="use range or accepted, or a check of kind sql",
        )
    column = identifier(check.column)
    return RowRule(
        broken=f"coalesce(NOT regexp_full_match({column}, {literal(check.pattern)}), FALSE)",
        complaint=f"have a {check.column} that does not match {check.pattern}",
    )


def _foreign_key(check: ForeignKey, columns: Columns, references: References, where: str) -> RowRule:
    kind = _type_of(check.column, columns, where)
    if check.dataset not in references:
        raise ProjectError(
            f"the dataset {check.dataset!r} has no version yet",
            where=f"{where}.dataset",
            remedy=f"make it with `trainshed run etl:{check.dataset}`",
        )
    reference = references[check.dataset]
    require_columns({check.to: f"{where}.to"}, reference.columns, f"the dataset {check.dataset!r}")
    if type_family(kind) != type_family(reference.columns[check.to]):
        raise ProjectError(
            f"{check.column!r} is {kind}, and {check.dataset}.{check.to} is {reference.columns[check.to]}",
            where=where,
            remedy="cast one of them where its dataset is made",
        )
    column, to = identifier(check.column), identifier(check.to)
    allowed = f"SELECT {to} FROM {identifier(reference.relation)} WHERE {to} IS NOT NULL"
    return RowRule(
        broken=f"{column} IS NOT NULL AND {column} NOT IN ({allowed})",
        complaint=f"have a {check.column} that {check.dataset}.{check.to} does not have",
    )


def _repeats(key: Sequence[str], rows: str) -> str:
    """Rows after the first of their key; a key with a missing part repeats nothing."""
    columns = ", ".join(identifier(column) for column in key)
    whole = " AND ".join(f"{identifier(column)} IS NOT NULL" for column in key)
    return (
        f"rowid IN (SELECT r.rowid FROM {rows} r JOIN ("
        f"SELECT {columns}, min(rowid) AS _first FROM {rows} WHERE {whole} GROUP BY ALL HAVING count(*) > 1"
        f") USING ({columns}) WHERE r.rowid > _first)"
    )


def _type_of(column: str, columns: Columns, where: str) -> str:
    require_columns({column: where if where.endswith("columns") else f"{where}.column"}, columns, "the dataset")
    return columns[column]


def _missing(column: str, kind: str) -> str:
    """NaN counts as missing: it is what CSV files and data frames have for no value."""
    null = f"{identifier(column)} IS NULL"
    return f"({null} OR isnan({identifier(column)}))" if type_family(kind) == "float" else f"({null})"


def _as_kept(value: Literal, kind: str) -> str:
    """A value as SQL that a column of this type is held against.

    A column of float32 keeps 0.1 as 0.10000000149…, which as a double is neither 0.1 nor at most 0.1: there the value
    is what such a column would keep of it. One beyond its range stays as it is.
    """
    narrow = kind == "FLOAT" and isinstance(value, int | float) and not FLOAT32_MOST < abs(value) < math.inf
    return f"{literal(value)}::FLOAT" if narrow else literal(value)


def _require_comparable(value: Literal, column: str, kind: str, where: str) -> None:
    family = "DECIMAL" if kind.startswith("DECIMAL") else type_family(kind)
    numbers = {"integer", "float", "DECIMAL"}
    match value:
        case bool():
            fits, word = family == "BOOLEAN", "a truth value"
        case int() | float():
            fits, word = family in numbers, "a number"
        case datetime():
            fits, word = family.startswith("TIMESTAMP") or family == "DATE", "a time"
        case str():
            fits, word = family in {"VARCHAR", "UUID", "DATE"}, "text"
    if not fits:
        raise ProjectError(
            f"{value!r} is {word}, and the column {column!r} is {kind}",
            where=where,
            remedy="write a value of the column's type, or cast the column where the dataset is made",
        )
