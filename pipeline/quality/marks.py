"""The rows of a relation, read once into a temporary table, and beside it the few that break a rule, a bit for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import duckdb
from duckdb import DuckDBPyConnection

from pipeline.describe import sample_of
from pipeline.quality.compile import AnyRowCheck, RowRule
from pipeline.quality.report import Counts, facts
from pipeline.sqltext import identifier, literal
from store.errors import ProjectError
from store.facts import CheckFacts

SAMPLE_ROWS: Final = 5
CHECKS_COLUMN: Final = "_checks"
"""Of the quarantine: the names of all checks that a row breaks."""
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
    def word(self) -> int:
        return self.number // _BITS

    @property
    def bit(self) -> int:
        return 1 << (self.number % _BITS)

    @property
    def broken(self) -> str:
        """SQL condition over the broken rows."""
        return f"(_broken_{self.word} & {self.bit}) <> 0"


class Marks:
    """Reads the relation as it is made; the parts and the facts then come from the temporary tables."""

    def __init__(
        self, connection: DuckDBPyConnection, relation: str, dataset: str, rules: Sequence[JudgedRule]
    ) -> None:
        self._connection = connection
        self._rules = rules
        self._words = range(max((rule.word for rule in rules), default=0) + 1)
        self._rows = identifier(f"_rows_of_{dataset}")
        self._broken = identifier(f"_broken_of_{dataset}")
        self.good = f"_good_of_{dataset}"
        self.bad = f"_bad_of_{dataset}"
        self._read(relation)
        self._find_broken()
        self.counts = self._counts()
        self._part()

    def facts(self, rule: JudgedRule) -> CheckFacts:
        """How many rows break the rule, and the first of them. Raises ProjectError if it fails on a row."""
        ((failing,),) = self._connection.sql(f"SELECT count(*) FROM {self._broken} WHERE {rule.broken}").fetchall()
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

    def _read(self, relation: str) -> None:
        """The one scan: every row with its marks."""
        marks = [["0::BIGINT"] for _ in self._words]
        for rule in self._rules:
            marks[rule.word].append(f"(CASE WHEN {rule.rule.broken} THEN {rule.bit} ELSE 0 END)")
        columns = ", ".join(f"{' | '.join(marks[i])} AS {MARK_PREFIX}{i}" for i in self._words)
        self._connection.sql(
            f"CREATE OR REPLACE TEMP TABLE {self._rows} AS SELECT *, {columns} FROM {identifier(relation)}"
        )

    def _find_broken(self) -> None:
        """Marked rows, and rows that repeat a key: those are found in the temporary table, not in the source."""
        renamed = ", ".join(f"{MARK_PREFIX}{i} AS _broken_{i}" for i in self._words)
        marked = " OR ".join(f"{MARK_PREFIX}{i} <> 0" for i in self._words)
        sources = [f"SELECT rowid AS _row, {renamed} FROM {self._rows} WHERE {marked}"]
        sources += [self._repeats(rule) for rule in self._rules if rule.rule.key]
        together = ", ".join(f"bit_or(_broken_{i}) AS _broken_{i}" for i in self._words)
        self._connection.sql(
            f"CREATE OR REPLACE TEMP TABLE {self._broken} AS "
            f"SELECT _row, {together} FROM ({' UNION ALL '.join(sources)}) GROUP BY _row"
        )

    def _repeats(self, rule: JudgedRule) -> str:
        """Rows after the first of their key; a key with a missing part repeats nothing."""
        key = ", ".join(identifier(column) for column in rule.rule.key)
        whole = " AND ".join(f"{identifier(column)} IS NOT NULL" for column in rule.rule.key)
        bits = ", ".join(f"{rule.bit if i == rule.word else 0}::BIGINT" for i in self._words)
        return (
            f"SELECT r.rowid, {bits} FROM {self._rows} r JOIN ("
            f"SELECT {key}, min(rowid) AS _first FROM {self._rows} WHERE {whole} GROUP BY ALL HAVING count(*) > 1"
            f") USING ({key}) WHERE r.rowid > _first"
        )

    def _counts(self) -> Counts:
        ((total, quarantined),) = self._connection.sql(
            f"SELECT (SELECT count(*) FROM {self._rows}), "
            f"(SELECT count(*) FROM {self._broken} WHERE {self._quarantining})"
        ).fetchall()
        return Counts(input=total, good=total - quarantined, quarantined=quarantined)

    def _part(self) -> None:
        apart = f"SELECT _row FROM {self._broken} WHERE {self._quarantining}"
        names = ", ".join(f"CASE WHEN {rule.broken} THEN {literal(rule.name)} END" for rule in self._rules)
        self._connection.sql(
            f"CREATE OR REPLACE TEMP VIEW {identifier(self.good)} AS SELECT {self._columns} FROM {self._rows} r "
            + (f"WHERE rowid NOT IN ({apart})" if self.counts.quarantined else "")
        )
        self._connection.sql(
            f"CREATE OR REPLACE TEMP VIEW {identifier(self.bad)} AS SELECT {self._columns}, "
            f"list_filter([{names}]::VARCHAR[], lambda name: name IS NOT NULL) AS {CHECKS_COLUMN} "
            f"{self._joined} WHERE {self._quarantining} ORDER BY _row"
        )

    def _sample(self, rule: JudgedRule) -> list[dict[str, Any]]:
        rows = self._connection.sql(
            f"SELECT {self._columns} {self._joined} WHERE {rule.broken} ORDER BY _row LIMIT {SAMPLE_ROWS}"
        )
        return sample_of(rows.to_arrow_table())

    def _require_answers(self, rule: JudgedRule, untried: str) -> None:
        try:
            self._connection.sql(f"SELECT count({untried}) {self._joined} WHERE {rule.broken}").fetchall()
        except duckdb.Error as error:
            raise rule_fault(rule, error) from None

    @property
    def _columns(self) -> str:
        marks = ", ".join(f"{MARK_PREFIX}{i}" for i in self._words)
        return f"r.* EXCLUDE ({marks})"

    @property
    def _joined(self) -> str:
        return f"FROM {self._rows} r JOIN {self._broken} ON r.rowid = _row"

    @property
    def _quarantining(self) -> str:
        """SQL condition over the broken rows: they leave the dataset."""
        return " OR ".join(rule.broken for rule in self._rules if rule.check.quarantine) or "FALSE"


def rule_fault(rule: JudgedRule, error: duckdb.Error) -> ProjectError:
    return ProjectError(
        f"the rule {rule.name!r} does not work: {str(error).strip()}",
        where=f"{rule.where}.{'rule' if rule.check.kind == 'sql' else 'pattern'}",
        remedy="mend it: it is a condition on the columns of one row",
    )
