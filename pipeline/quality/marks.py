"""The rows of a relation, read once into a temporary table, each with a bit for every rule that it breaks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import duckdb
from duckdb import DuckDBPyConnection

from pipeline.quality.compile import AnyRowCheck, RowRule
from pipeline.quality.report import Counts, facts
from pipeline.tables import kept
from pipeline.tables.describe import sample_of
from pipeline.tables.sqltext import identifier, literal
from store.errors import ProjectError, StorageError, TrainshedError
from store.facts import CheckFacts

SAMPLE_ROWS: Final = 5
MARK_PREFIX: Final = "_mark_"
_BITS: Final = 62
"""Rules that one BIGINT column of marks holds."""


@dataclass(frozen=True, kw_only=True)
class JudgedRule:
    """A row check with its compiled rule and the bit that marks its breaking rows."""

    name: str
    check: AnyRowCheck
    rule: RowRule
    where: str
    number: int
    """Among the row checks, from 0."""

    @property
    def column(self) -> str:
        return f"{MARK_PREFIX}{self.number // _BITS}"

    @property
    def bit(self) -> int:
        return 1 << (self.number % _BITS)

    @property
    def marked(self) -> str:
        """SQL condition: the row breaks the rule."""
        return f"({self.column} & {self.bit}) <> 0"


@dataclass(frozen=True, kw_only=True)
class RowTable:
    """The rows of a relation as a temporary table, with columns for the marks."""

    dataset: str
    rules: int
    """Number of rules that marks are for."""

    @property
    def sql(self) -> str:
        """Its name as SQL."""
        return identifier(f"_rows_of_{self.dataset}")

    @property
    def marks(self) -> list[str]:
        return [f"{MARK_PREFIX}{i}" for i in range(self.rules // _BITS + 1)]

    def create(self, connection: DuckDBPyConnection, relation: str) -> None:
        """Makes it, without a row."""
        connection.sql(f"CREATE OR REPLACE TEMP TABLE {self.sql} AS {self._select(relation)} WITH NO DATA")

    def fill(self, connection: DuckDBPyConnection, relation: str) -> None:
        """The one time that the relation is read."""
        connection.sql(f"INSERT INTO {self.sql} {self._select(relation)}")

    def _select(self, relation: str) -> str:
        return f"SELECT *, {', '.join(f'0::BIGINT AS {mark}' for mark in self.marks)} FROM {identifier(relation)}"


class Marks:
    """The marked rows, their parts and the facts about them.

    Order is kept: rows are copied as they come, marks are set by row number, and the parts are filters. (Joins, and
    DuckDB makes joins of long IN lists too, would shuffle the rows.)
    """

    def __init__(self, connection: DuckDBPyConnection, rows: RowTable, rules: Sequence[JudgedRule]) -> None:
        self._connection = connection
        self._rules = rules
        self._columns = rows.marks
        self._rows = rows.sql
        self.good = f"_good_of_{rows.dataset}"
        self.bad = f"_bad_of_{rows.dataset}"
        self._mark()
        self._part()
        self.counts, self._failing = self._count()

    def facts(self, rule: JudgedRule) -> CheckFacts:
        """How many rows break the rule, and the first of them. Raises ProjectError if it fails on a row."""
        failing = self._failing[rule.number]
        if failing and rule.rule.untried:
            self._require_answers(rule, rule.rule.untried)
        allowed = f"; at most {rule.check.max_share:.2%} may" if rule.check.max_share else ""
        return facts(
            rule.check,
            rule.name,
            failing=failing,
            total=self.counts.input,
            detail=f"{failing:,} of {self.counts.input:,} rows {rule.rule.complaint}{allowed}",
            sample=self._sample(rule) if failing else [],
        )

    def _mark(self) -> None:
        """All rules in one query over the rows."""
        terms = {column: ["0::BIGINT"] for column in self._columns}
        for rule in self._rules:
            terms[rule.column].append(f"(CASE WHEN {rule.rule.broken} THEN {rule.bit} ELSE 0 END)")
        marks = ", ".join(f"{' | '.join(terms[column])} AS new{column}" for column in self._columns)
        found = ", ".join(f"{column} = new{column}" for column in self._columns)
        some = " OR ".join(f"new{column} <> 0" for column in self._columns)
        query = (
            f"UPDATE {self._rows} SET {found} FROM (SELECT rowid AS _row, {marks} FROM {self._rows}) "
            f"WHERE {self._rows}.rowid = _row AND ({some})"
        )
        try:
            self._connection.sql(query)
        except duckdb.Error as error:
            raise _marking_fault(self._rules, error) from None

    def _part(self) -> None:
        names = ", ".join(f"CASE WHEN {rule.marked} THEN {literal(rule.name)} END" for rule in self._rules)
        self._connection.sql(
            f"CREATE OR REPLACE TEMP VIEW {identifier(self.good)} AS "
            f"SELECT {self._plain} FROM {self._rows} WHERE NOT ({self._quarantined})"
        )
        self._connection.sql(
            f"CREATE OR REPLACE TEMP VIEW {identifier(self.bad)} AS SELECT {self._plain}, "
            f"list_filter([{names}]::VARCHAR[], lambda name: name IS NOT NULL) AS {kept.CHECKS} "
            f"FROM {self._rows} WHERE {self._quarantined}"
        )

    def _count(self) -> tuple[Counts, list[int]]:
        """Rows in and out, and for each rule the rows that break it."""
        conditions = [self._quarantined, *(rule.marked for rule in self._rules)]
        asked = ", ".join(f"coalesce(sum(n) FILTER ({condition}), 0)::BIGINT" for condition in ["TRUE", *conditions])
        # Few patterns of marks occur, so counting those first saves looking at each row once a rule.
        patterns = f"SELECT {', '.join(self._columns)}, count(*) AS n FROM {self._rows} GROUP BY ALL"
        ((total, quarantined, *failing),) = self._connection.sql(f"SELECT {asked} FROM ({patterns})").fetchall()
        return Counts(input=total, good=total - quarantined, quarantined=quarantined), failing

    def _sample(self, rule: JudgedRule) -> list[dict[str, Any]]:
        rows = f"SELECT {self._plain} FROM {self._rows} WHERE {rule.marked} ORDER BY rowid LIMIT {SAMPLE_ROWS}"
        return sample_of(self._connection.sql(rows).to_arrow_table())

    def _require_answers(self, rule: JudgedRule, untried: str) -> None:
        try:
            self._connection.sql(f"SELECT count({untried}) FROM {self._rows} WHERE {rule.marked}").fetchall()
        except duckdb.Error as error:
            raise rule_fault(rule, error) from None

    @property
    def _plain(self) -> str:
        """The relation's own columns."""
        return f"* EXCLUDE ({', '.join(self._columns)})"

    @property
    def _quarantined(self) -> str:
        """SQL condition: the row leaves the dataset."""
        bits = dict.fromkeys(self._columns, 0)
        for rule in self._rules:
            bits[rule.column] |= rule.bit if rule.check.quarantine else 0
        return " OR ".join(f"({column} & {mask}) <> 0" for column, mask in bits.items())


def _marking_fault(rules: Sequence[JudgedRule], error: duckdb.Error) -> TrainshedError:
    """A fault of the machine, or of a rule that could not be tried row by row."""
    suspects = [rule for rule in rules if rule.check.kind == "sql" and rule.rule.untried is None]
    if isinstance(error, duckdb.OutOfMemoryException | duckdb.IOException) or not suspects:
        return StorageError(
            f"the checks could not be judged: {str(error).strip()}",
            where="temporary files of DuckDB",
            remedy="free memory and disk space, then run the job again",
        )
    return rule_fault(suspects[0], error)


def rule_fault(rule: JudgedRule, error: duckdb.Error) -> ProjectError:
    return ProjectError(
        f"the rule {rule.name!r} does not work: {str(error).strip()}",
        where=f"{rule.where}.{'rule' if rule.check.kind == 'sql' else 'pattern'}",
        remedy="mend it: it is a condition on the columns of one row",
    )
