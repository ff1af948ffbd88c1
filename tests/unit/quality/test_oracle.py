"""Row checks against the same rules in plain Python, on random tables."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from duckdb import DuckDBPyConnection
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from pipeline.config.checks import AnyCheck
from pipeline.quality import CheckReport, run_checks
from tests.examples import examples

NOW = datetime(2013, 6, 1, tzinfo=UTC)
Row = dict[str, Any]
KNOWN = [1, 2, 3]

rows = st.fixed_dictionaries(
    {
        "n": st.none() | st.integers(-3, 5),
        "x": st.none() | st.sampled_from([-1.0, 0.0, 0.5, 2.0, math.nan, math.inf]),
        "t": st.none() | st.sampled_from(["", "a", "aa", "b", "it's"]),
    }
)
row_checks = st.one_of(
    st.fixed_dictionaries({"kind": st.just("not_null"), "column": st.sampled_from("nxt")}),
    st.fixed_dictionaries(
        {"kind": st.just("unique"), "columns": st.sampled_from([["n"], ["t", "n"], ["x"], ["n", "x", "t"]])}
    ),
    st.sampled_from(
        [
            {"kind": "accepted", "column": "t", "values": ["a", "it's"]},
            {"kind": "accepted", "column": "n", "values": [0, 1]},
            {"kind": "range", "column": "x", "min": 0.0, "max": 1},
            {"kind": "range", "column": "x", "min": 0.25},
            {"kind": "range", "column": "n", "max": 2},
            {"kind": "regex", "column": "t", "pattern": "a+"},
            {"kind": "foreign_key", "column": "n", "dataset": "known", "to": "id"},
            {"kind": "sql", "rule": "n > 0 or t = 'b' -- NULL is no yes"},
        ]
    ),
)
settled = st.fixed_dictionaries(
    {"severity": st.sampled_from(["warn", "fail"]), "quarantine": st.booleans(), "max_share": st.sampled_from([0, 0.4])}
)
checks = st.lists(st.builds(lambda check, rest: {**check, **rest}, row_checks, settled), max_size=8)


def breaks(check: Row, row: Row, earlier: list[Row]) -> bool:
    """Whether the row breaks the check, given the rows before it."""
    value = row.get(check.get("column", ""))
    missing = value is None or (isinstance(value, float) and math.isnan(value))
    match check["kind"]:
        case "not_null":
            return missing
        case "unique":
            key = [_comparable(row[c]) for c in check["columns"]]
            return None not in key and key in [[_comparable(e[c]) for c in check["columns"]] for e in earlier]
        case "accepted":
            return value is not None and value not in check["values"]
        case "range":
            low, high = check.get("min", -math.inf), check.get("max", math.inf)
            return value is not None and not low <= value <= high
        case "regex":
            return value is not None and re.fullmatch(check["pattern"], value) is None
        case "foreign_key":
            return value is not None and value not in KNOWN
        case _:
            return not ((row["n"] is not None and row["n"] > 0) or row["t"] == "b")


def _comparable(value: Any) -> Any:
    return "NaN" if isinstance(value, float) and math.isnan(value) else value


def _shown(table: list[Row]) -> list[str]:
    """Rows that compare even where they hold NaN."""
    return [str(sorted(row.items())) for row in table]


@pytest.fixture(scope="module")
def connection() -> Iterator[DuckDBPyConnection]:
    with duckdb.connect(config={"threads": 2}) as connection:
        connection.sql("CREATE TABLE known AS SELECT unnest([1, 2, 3, NULL]) AS id")
        yield connection


def judge(connection: DuckDBPyConnection, table: list[Row], given_checks: list[Row]) -> CheckReport:
    typed = pa.schema([("n", pa.int64()), ("x", pa.float64()), ("t", pa.string())])
    data = pa.Table.from_pylist(table, typed)
    # A reader gives its rows once: a second scan would find none.
    connection.register("incoming", pa.RecordBatchReader.from_batches(typed, data.to_batches(max_chunksize=3)))
    parse = TypeAdapter(list[AnyCheck]).validate_python
    return run_checks(
        connection, "incoming", parse(given_checks), dataset="d", now=NOW, previous=None, references={"known": "known"}
    )


def read(connection: DuckDBPyConnection, relation: str) -> list[Row]:
    rows: list[Row] = connection.sql(f"FROM {relation}").to_arrow_table().to_pylist()
    return rows


@pytest.mark.slow
@settings(max_examples=examples(100))
@given(table=st.lists(rows, max_size=12), given_checks=checks)
def test_rows_are_parted_as_plain_python_parts_them(
    connection: DuckDBPyConnection, table: list[Row], given_checks: list[Row]
) -> None:
    report = judge(connection, table, given_checks)
    broken = [[i for i, row in enumerate(table) if breaks(check, row, table[:i])] for check in given_checks]
    for check, result, failing in zip(given_checks, report.results, broken, strict=True):
        over = len(failing) > check["max_share"] * len(table)
        assert (result.failing, result.total) == (len(failing), len(table))
        assert result.outcome == (check["severity"] if over else "pass")
        assert len(result.sample) == min(5, len(failing))
    apart = {i for check, failing in zip(given_checks, broken, strict=True) if check["quarantine"] for i in failing}
    assert _shown(read(connection, report.good)) == _shown([row for i, row in enumerate(table) if i not in apart])
    names = [[r.name for r, failing in zip(report.results, broken, strict=True) if i in failing] for i in sorted(apart)]
    bad = read(connection, report.bad) if report.bad else []
    assert _shown(bad) == _shown([{**table[i], "_checks": n} for i, n in zip(sorted(apart), names, strict=True)])
    assert report.counts.input == len(table) == report.counts.good + report.counts.quarantined
    assert report.counts.quarantined == len(bad)
