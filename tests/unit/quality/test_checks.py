"""Each kind of check, its words, and what it refuses."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pytest
from duckdb import DuckDBPyConnection
from pydantic import TypeAdapter

from pipeline.config.checks import AnyCheck
from pipeline.quality import CheckReport, run_checks
from store.errors import ProjectError
from store.facts import CheckFacts

NOW = datetime(2013, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
def connection() -> Iterator[DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.sql("SET TimeZone = 'UTC'")
        connection.sql(
            """CREATE TABLE flights AS
               SELECT i AS id, 'N' || i AS tail, i % 3 AS hub, i / 2.0 AS delay, TRUE AS flown,
                      TIMESTAMPTZ '2013-06-01 00:00Z' - to_hours(i::INT) AS leaves FROM range(100) t(i)"""
        )
        connection.sql("CREATE TABLE hubs AS SELECT i AS id, 'h' || i AS name FROM range(2) t(i)")
        yield connection


def judge(
    connection: DuckDBPyConnection, *checks: dict[str, Any], relation: str = "flights", previous: str | None = None
) -> CheckReport:
    return run_checks(
        connection,
        relation,
        TypeAdapter(list[AnyCheck]).validate_python(list(checks)),
        dataset="flights",
        now=NOW,
        previous=previous,
        references={"hubs": "hubs"},
    )


def only(report: CheckReport) -> CheckFacts:
    (result,) = report.results
    return result


def test_a_column_of_float32_is_held_against_what_it_would_keep_of_a_value(connection: DuckDBPyConnection) -> None:
    connection.sql("CREATE TABLE narrow AS SELECT x::FLOAT AS x FROM (VALUES (0.1), (0.3), (NULL)) t(x)")

    def outcome(**check: Any) -> str:
        return only(judge(connection, {"column": "x", **check}, relation="narrow")).outcome

    assert outcome(kind="accepted", values=[0.1, 0.3]) == "pass"
    assert outcome(kind="accepted", values=[0.1, 0.2]) == "fail"
    assert outcome(kind="range", min=0.1, max=0.3) == "pass"
    assert outcome(kind="range", min=0.11, max=0.3) == "fail"
    assert outcome(kind="range", min=0.1, max=0.29) == "fail"
    # Beyond all float32, and no number of its own.
    assert outcome(kind="range", min=-1e300, max=1e300) == "pass"
    assert outcome(kind="range", max=math.inf) == "pass"


def test_a_check_says_how_many_rows_break_it_and_shows_the_first_ones(connection: DuckDBPyConnection) -> None:
    report = judge(connection, {"kind": "range", "column": "delay", "max": 40})
    result = only(report)
    assert result.detail == "19 of 100 rows have a delay that is not 40 or less"
    assert (result.name, result.outcome, report.passed) == ("range(delay)", "fail", False)
    assert [row["id"] for row in result.sample] == [81, 82, 83, 84, 85]
    assert result.sample[0]["leaves"] == "2013-05-28T15:00:00+00:00"
    json.dumps(result.model_dump(mode="json"))


def test_a_share_within_the_limit_passes_and_its_rows_are_quarantined_all_the_same(
    connection: DuckDBPyConnection,
) -> None:
    report = judge(connection, {"kind": "range", "column": "delay", "max": 40, "max_share": 0.19})
    assert report.passed
    assert only(report).detail == "19 of 100 rows have a delay that is not 40 or less; at most 19.00% may"
    assert (report.counts.input, report.counts.good, report.counts.quarantined) == (100, 81, 19)


def test_a_warning_never_refuses_the_version(connection: DuckDBPyConnection) -> None:
    report = judge(connection, {"kind": "sql", "rule": "id < 0", "severity": "warn", "quarantine": False})
    assert (report.passed, only(report).outcome, report.bad) == (True, "warn", None)


def test_a_rule_may_look_into_another_table(connection: DuckDBPyConnection) -> None:
    for rule in (
        "hub IN (SELECT id FROM hubs)",
        "(hub, flown) IN (SELECT id, TRUE FROM hubs)",
        "hub <= (FROM hubs SELECT max(id))",
    ):
        assert only(judge(connection, {"kind": "sql", "rule": rule})).failing == 33


def test_an_accepted_share_is_exact_at_its_edge(connection: DuckDBPyConnection) -> None:
    third = {"kind": "accepted", "column": "hub", "values": [0, 1]}
    assert only(judge(connection, {**third, "max_share": 0.33})).outcome == "pass"
    assert only(judge(connection, {**third, "max_share": 0.3299})).outcome == "fail"


def test_as_many_rows_as_are_allowed_are_no_more_than_that(connection: DuckDBPyConnection) -> None:
    """0.29 times 100 is 28.999999999999996 to a computer."""
    numbers = range(1, 100)
    rules = [{"kind": "sql", "rule": f"id >= {rows}"} for rows in numbers]
    for spared, outcome in ((0.0, "pass"), (0.5, "fail")):
        allowed = ((rows - spared) / 100 for rows in numbers)
        report = judge(connection, *({**rule, "max_share": share} for rule, share in zip(rules, allowed, strict=True)))
        assert [result.failing for result in report.results] == list(numbers)
        assert {result.outcome for result in report.results} == {outcome}


def test_two_checks_of_one_name_are_told_apart(connection: DuckDBPyConnection) -> None:
    ranges = [{"kind": "range", "column": "id", "max": m} for m in (98, 97)]
    report = judge(connection, *ranges)
    assert [r.name for r in report.results] == ["range(id)", "range(id) #2"]
    assert report.bad is not None
    assert connection.sql(f"SELECT _checks FROM {report.bad}").fetchall() == [
        (["range(id) #2"],),
        (["range(id)", "range(id) #2"],),
    ]


@pytest.mark.slow
def test_seventy_checks_at_once_are_all_judged(connection: DuckDBPyConnection) -> None:
    report = judge(connection, *({"kind": "range", "column": "id", "max": m, "quarantine": m > 95} for m in range(70)))
    assert [r.failing for r in report.results] == [99 - m for m in range(70)]
    report = judge(connection, *({"kind": "range", "column": "id", "max": m} for m in range(30, 100)))
    assert report.counts.good == 31


def test_an_empty_table_passes_row_checks_and_breaks_freshness_and_row_count(connection: DuckDBPyConnection) -> None:
    connection.sql("CREATE TABLE nothing AS FROM flights LIMIT 0")
    report = judge(
        connection,
        {"kind": "not_null", "column": "id"},
        {"kind": "unique", "columns": ["id"]},
        {"kind": "freshness", "column": "leaves", "within": "1d"},
        {"kind": "row_count", "min": 1},
        relation="nothing",
    )
    assert [r.outcome for r in report.results] == ["pass", "pass", "fail", "fail"]
    assert [r.detail for r in report.results[2:]] == ["no row has a leaves", "0 rows, and at least 1 are expected"]


def test_a_table_check_judges_the_rows_that_stay(connection: DuckDBPyConnection) -> None:
    report = judge(connection, {"kind": "row_count", "min": 95}, {"kind": "range", "column": "id", "max": 89})
    assert [r.outcome for r in report.results] == ["fail", "fail"]
    assert report.results[0].detail == "90 rows, and at least 95 are expected"


def test_freshness_measures_from_the_given_moment(connection: DuckDBPyConnection) -> None:
    fresh = {"kind": "freshness", "column": "leaves"}
    assert only(judge(connection, {**fresh, "within": "12h"})).outcome == "pass"
    result = only(judge(connection, {**fresh, "within": timedelta(hours=11, minutes=59)}))
    assert result.outcome == "fail"
    assert result.detail == (
        "the newest leaves is 2013-06-01T00:00:00+00:00, 12.0 hours old; at most 12.0 hours are allowed"
    )


def test_a_schema_check_names_each_wrong_column(connection: DuckDBPyConnection) -> None:
    columns = {"id": "int64", "tail": "string", "delay": "float64", "leaves": "timestamp", "flown": "bool"}
    assert only(judge(connection, {"kind": "schema", "columns": columns})).outcome == "pass"
    wrong = only(judge(connection, {"kind": "schema", "columns": {"tail": "date", "gate": "string", "id": "int64"}}))
    assert (wrong.failing, wrong.total) == (2, 3)
    assert wrong.detail == "tail is VARCHAR, not date; gate is not there"


def test_a_time_bound_is_utc_whatever_its_offset(connection: DuckDBPyConnection) -> None:
    bound = datetime.fromisoformat("2013-06-01T02:00:00+02:00")
    assert only(judge(connection, {"kind": "range", "column": "leaves", "max": bound})).failing == 0
    assert only(judge(connection, {"kind": "range", "column": "leaves", "min": datetime(2013, 6, 1)})).failing == 99  # noqa: DTZ001


def test_a_rule_with_a_subquery_that_fails_on_a_row_is_refused(connection: DuckDBPyConnection) -> None:
    rule = {"kind": "sql", "rule": "tail::INT > (SELECT max(id) FROM hubs)"}
    with pytest.raises(ProjectError, match="Could not convert string 'N0'") as caught:
        judge(connection, rule)
    assert caught.value.where == "datasets.flights.checks[0].rule"


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"kind": "not_null", "column": "tial"}, "no column 'tial', did you mean 'tail'", "column"),
    ({"kind": "unique", "columns": ["id", "hbu"]}, "did you mean 'hub'", "columns"),
    ({"kind": "range", "column": "tail", "min": 1}, "a number, and the column 'tail' is VARCHAR", "min"),
    ({"kind": "range", "column": "id"}, "no limits", ""),
    ({"kind": "accepted", "column": "hub", "values": ["0"]}, "'0' is text, and the column 'hub' is BIGINT", "values"),
    ({"kind": "accepted", "column": "hub", "values": [True]}, "True is a truth value", "values"),
    ({"kind": "regex", "column": "hub", "pattern": "."}, "judges text", ""),
    ({"kind": "regex", "column": "tail", "pattern": "("}, "does not work", "pattern"),
    ({"kind": "foreign_key", "column": "hub", "dataset": "gone", "to": "id"}, "no version yet", "dataset"),
    ({"kind": "foreign_key", "column": "hub", "dataset": "hubs", "to": "idd"}, "did you mean 'id'", "to"),
    ({"kind": "foreign_key", "column": "hub", "dataset": "hubs", "to": "name"}, "hubs.name is VARCHAR", ""),
    ({"kind": "sql", "rule": "delay <"}, "does not work", "rule"),
    ({"kind": "sql", "rule": "dealy < 3"}, "does not work", "rule"),
    ({"kind": "sql", "rule": "count(*) > 3"}, "does not work", "rule"),
    ({"kind": "sql", "rule": "tail::INT > 3"}, "Could not convert string 'N0'", "rule"),
    ({"kind": "freshness", "column": "id", "within": "1d"}, "only a time can be fresh", "column"),
    ({"kind": "schema", "columns": {"id": "number"}}, "no type 'number'", "columns.id"),
    ({"kind": "distribution", "column": "dely"}, "did you mean 'delay'", "column"),
]


@pytest.mark.parametrize(("check", "what", "key"), WRONG)
def test_a_check_that_cannot_be_judged_is_refused_with_its_place(
    connection: DuckDBPyConnection, check: dict[str, Any], what: str, key: str
) -> None:
    with pytest.raises(ProjectError) as caught:
        judge(connection, {"kind": "row_count"}, check)
    assert what in caught.value.what
    assert caught.value.where == f"datasets.flights.checks[1]{'.' if key else ''}{key}"


def test_a_column_named_like_ours_is_refused(connection: DuckDBPyConnection) -> None:
    connection.sql("CREATE TABLE ours AS SELECT 1 AS _checks")
    with pytest.raises(ProjectError, match="'_checks' is kept for the checks"):
        judge(connection, relation="ours")


@pytest.mark.parametrize("name", ["ROWID", "_run", "_at"])
def test_a_column_named_like_what_tells_refused_rows_apart_is_refused_where_rows_are(
    connection: DuckDBPyConnection, name: str
) -> None:
    """DuckDB's own row number is hidden behind a column of its name: good rows were refused for their neighbours."""
    connection.sql(f"CREATE TABLE ours AS SELECT unnest([7, 7]) AS {name}, unnest([1, -1]) AS n")
    assert judge(connection, {"kind": "row_count", "min": 2}, relation="ours").passed
    with pytest.raises(ProjectError, match=f"'{name}' is kept for the checks"):
        judge(connection, {"kind": "range", "column": "n", "min": 0}, relation="ours")


def test_a_row_of_the_future_hides_none_that_is_stale(connection: DuckDBPyConnection) -> None:
    """One time of the year 2999 by mistake, and a source that had ended was fresh for ever."""
    fresh = {"kind": "freshness", "column": "leaves", "within": "1d"}
    connection.sql("CREATE TABLE stale AS SELECT * FROM flights WHERE leaves < TIMESTAMPTZ '2013-05-30 12:00Z'")
    assert only(judge(connection, fresh, relation="stale")).outcome == "fail"
    for ahead in ("2999-01-01 00:00Z", "infinity"):
        connection.sql(
            f"CREATE OR REPLACE TABLE mixed AS FROM stale UNION ALL SELECT 0, 'N', 0, 0, TRUE, TIMESTAMPTZ '{ahead}'"
        )
        result = only(judge(connection, fresh, relation="mixed"))
        assert (result.outcome, "; 1 rows are ahead of the clock" in result.detail) == ("fail", True)
    # A clock that runs ahead by a little, and dates of today, are fresh.
    connection.sql("CREATE TABLE ahead AS SELECT TIMESTAMPTZ '2013-06-01 12:00:05Z' AS leaves")
    assert only(judge(connection, fresh, relation="ahead")).outcome == "pass"
    connection.sql("CREATE TABLE today AS SELECT DATE '2013-06-01' AS leaves")
    assert only(judge(connection, fresh, relation="today")).outcome == "pass"
