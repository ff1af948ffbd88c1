"""Judging the rows of a relation before they become a version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

import duckdb
from duckdb import DuckDBPyConnection

from pipeline.config.checks import AnyCheck, RowCheck
from pipeline.features.pit import column_types
from pipeline.quality.compile import Columns, References, ReferenceTable, compile_row_check
from pipeline.quality.marks import MARK_PREFIX, JudgedRule, Marks, RowTable, rule_fault
from pipeline.quality.report import CheckReport, facts, names_of
from pipeline.quality.table import Table, judge_table
from pipeline.tables import kept
from store.errors import ProjectError
from store.facts import CheckFacts

_ROW_NUMBER: Final = "rowid"
"""DuckDB's name for it, which a column of the data would hide."""


def run_checks(
    connection: DuckDBPyConnection,
    relation: str,
    checks: Sequence[AnyCheck],
    *,
    dataset: str,
    now: datetime,
    previous: str | None,
    references: Mapping[str, str],
) -> CheckReport:
    """Judges the rows of `relation`, which is read exactly once (a reader that can be read only once will do).

    `previous`: relation of the dataset's previous version, if any; `references`: relations of the datasets that
    foreign keys name. The report's relations live as long as the connection, or until `dataset` is judged again on
    it. Raises ProjectError where a check names a column that is not there, does not fit its type, or is an SQL rule
    that does not work.
    """
    columns = column_types(connection, relation)
    _require_free_names(columns, dataset, parted=any(isinstance(check, RowCheck) for check in checks))
    known = {name: ReferenceTable(relation=r, columns=column_types(connection, r)) for name, r in references.items()}
    names = names_of(checks)
    rows = RowTable(dataset=dataset, rules=len(checks))
    rules = _compile(checks, names, columns, known, rows)
    rows.create(connection, relation)
    rules = {index: _bound(connection, rows, rule) for index, rule in rules.items()}
    rows.fill(connection, relation)
    marks = Marks(connection, rows, list(rules.values()))
    table = Table(relation=marks.good, rows=marks.counts.good, previous=previous, now=now)

    def judge(index: int, check: AnyCheck) -> CheckFacts:
        if isinstance(check, RowCheck):
            return marks.facts(rules[index])
        found = judge_table(connection, check, table, place(dataset, index))
        return facts(
            check, names[index], failing=found.failing, total=found.total, detail=found.detail, sample=found.sample
        )

    return CheckReport(
        results=[judge(index, check) for index, check in enumerate(checks)],
        good=marks.good,
        bad=marks.bad if marks.counts.quarantined else None,
        counts=marks.counts,
    )


def place(dataset: str, index: int) -> str:
    """Where a check stands in the project file."""
    return f"datasets.{dataset}.checks[{index}]"


def _compile(
    checks: Sequence[AnyCheck], names: Sequence[str], columns: Columns, references: References, rows: RowTable
) -> dict[int, JudgedRule]:
    """The row checks by their index among all checks."""
    rules: dict[int, JudgedRule] = {}
    for index, check in enumerate(checks):
        if isinstance(check, RowCheck):
            where = place(rows.dataset, index)
            rule = compile_row_check(check, columns, references, rows=rows.sql, where=where)
            rules[index] = JudgedRule(name=names[index], check=check, rule=rule, where=where, number=len(rules))
    return rules


def _bound(connection: DuckDBPyConnection, rows: RowTable, rule: JudgedRule) -> JudgedRule:
    """The rule as DuckDB takes it: one with a subquery cannot be tried row by row. Raises ProjectError."""
    if _refusal(connection, rows, rule.rule.broken) is None:
        return rule
    untried = rule.rule.untried
    plain = replace(rule.rule, broken=f"{untried} IS NOT TRUE", untried=None) if untried else rule.rule
    error = _refusal(connection, rows, plain.broken)
    if error is not None:
        raise rule_fault(rule, error)
    return replace(rule, rule=plain)


def _refusal(connection: DuckDBPyConnection, rows: RowTable, condition: str) -> duckdb.Error | None:
    try:
        connection.sql(f"EXPLAIN SELECT rowid, {condition} FROM {rows.sql}").fetchall()
    except duckdb.Error as error:
        return error
    return None


def _require_free_names(columns: Columns, dataset: str, *, parted: bool) -> None:
    """`parted`: rows are told apart, by DuckDB's own number of each, and some may be kept in quarantine."""
    taken = {kept.CHECKS, *([_ROW_NUMBER, *kept.OWN] if parted else [])}
    for name in columns:
        if name.lower() in taken or name.startswith(MARK_PREFIX):
            raise ProjectError(
                f"the column name {name!r} is kept for the checks",
                where=f"datasets.{dataset}",
                remedy="give the column another name where the dataset is made",
            )
