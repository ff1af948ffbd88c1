"""One dataset, from source or inputs to a version: what is kept, what is refused, what is told."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from pipeline.etl.staging import locked
from pipeline.process.context import Preempted
from store import lake
from store.errors import (
    ChecksFailed,
    Conflict,
    DataError,
    NotFound,
    ProjectError,
    SchemaChanged,
    SourceError,
    SourceMalformed,
)
from tests.webserver import Answerer, Asked, Reply, Site

if TYPE_CHECKING:
    from tests.unit.etl.conftest import Shed

MakeSite = Callable[[Answerer], Site]
CSV = "id,name,price\n1,a,1.5\n2,b,2.5\n3,c,3.5\n"


def csv_source(shed: Shed, text: str = CSV, **dataset: Any) -> None:
    """The dataset `orders` from orders.csv."""
    shed.write("orders.csv", text)
    shed.sections["sources"] = {"orders": {"kind": "file", "path": "orders.csv", "format": "csv"}}
    shed.sections.setdefault("datasets", {})["orders"] = {"source": "orders", **dataset}


def derived(shed: Shed, sql: str, **more: Any) -> None:
    """The dataset `made` from `orders`."""
    shed.sections.setdefault("datasets", {})["made"] = {"sql": sql, "inputs": ["orders"], **more}


def ids(rows: list[dict[str, Any]]) -> list[int]:
    return sorted(row["id"] for row in rows)


# ---- from a source ---------------------------------------------------------------------------------------------


def test_a_file_becomes_a_version_with_its_facts(shed: Shed) -> None:
    csv_source(shed, key=["id"])
    told = shed.run("orders")
    facts = told.one("dataset")
    assert (facts["dataset"], facts["kind"], facts["version"]) == ("orders", "dataset", 0)
    assert (facts["rows"], facts["added"], facts["removed"], facts["quarantined"]) == (3, 3, 0, 0)
    assert facts["columns"][2] == {
        "name": "price",
        "type": "float64",
        "nulls": 0,
        "distinct": 3,
        "low": "1.5",
        "high": "3.5",
        "histogram": {"low": 1.5, "high": 3.5, "counts": [1, *[0] * 9, 1, *[0] * 8, 1]},
        "top": [],
    }
    assert facts["sample"][0] == {"id": 1, "name": "a", "price": 1.5}
    assert facts["fingerprint"] == told.one("fingerprint")["value"]
    assert told.of("progress")[-1]["done"] == 3
    assert not shed.home.staging("orders").exists()


def test_what_did_not_change_is_skipped_with_the_reason(shed: Shed) -> None:
    csv_source(shed)
    first = shed.run("orders")
    again = shed.run("orders")
    assert again.skipped == "orders@0 is up to date: the source says that nothing changed"
    assert again.one("fingerprint")["value"] == first.one("fingerprint")["value"]
    shed.write("orders.csv", CSV)
    assert shed.run("orders").skipped == "orders@0 is up to date: the source gave the same rows"
    assert shed.version("orders") == 0


def test_force_runs_all_the_same(shed: Shed) -> None:
    csv_source(shed)
    shed.run("orders")
    assert shed.run("orders", force=True).one("dataset")["version"] == 1


def test_a_changed_setting_is_a_reason_to_run(shed: Shed) -> None:
    csv_source(shed)
    shed.run("orders")
    csv_source(shed, checks=[{"kind": "row_count", "min": 1}])
    assert shed.run("orders").one("dataset")["version"] == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mode", "kept", "added", "removed"),
    [("replace", [3, 4], 2, 3), ("append", [1, 2, 3, 3, 4], 2, 0), ("merge", [1, 2, 3, 4], 1, 0)],
)
def test_the_mode_says_what_becomes_of_the_old_rows(
    shed: Shed, mode: str, kept: list[int], added: int, removed: int
) -> None:
    csv_source(shed, mode=mode, key=["id"])
    shed.run("orders")
    shed.write("orders.csv", "id,name,price\n3,C,9.5\n4,d,4.5\n")
    facts = shed.run("orders").one("dataset")
    assert ids(shed.rows("orders")) == kept
    assert (facts["added"], facts["removed"]) == (added, removed)
    assert ids(shed.rows("orders", 0)) == [1, 2, 3]
    if mode == "merge":
        assert facts["note"] == "1 row updated by key"
        assert next(row["name"] for row in shed.rows("orders") if row["id"] == 3) == "C"


def test_a_merge_takes_the_last_of_several_rows_with_one_key(shed: Shed) -> None:
    csv_source(shed, "id,name\n1,old\n1,new\n", mode="merge", key=["id"])
    shed.run("orders")
    assert shed.rows("orders") == [{"id": 1, "name": "new"}]
    shed.write("orders.csv", "id,name\n1,newer\n1,newest\n2,b\n")
    shed.run("orders")
    assert sorted(row["name"] for row in shed.rows("orders")) == ["b", "newest"]


def test_a_merge_refuses_rows_without_a_key(shed: Shed) -> None:
    csv_source(shed, "id,name\n1,a\n,b\n", mode="merge", key=["id"])
    with pytest.raises(DataError, match="1 rows have no value in their key"):
        shed.run("orders")


def test_a_wrong_key_or_time_is_named(shed: Shed) -> None:
    csv_source(shed, key=["nope"])
    with pytest.raises(ProjectError, match="no column 'nope'") as caught:
        shed.run("orders")
    assert caught.value.where == "datasets.orders.key"


@pytest.mark.parametrize("times", ["1700000000", "1700000000.5", "noon", "yes"])
def test_what_is_no_time_is_refused_as_one_before_the_commit(shed: Shed, times: str) -> None:
    """It was found out when the new version was described: the run failed behind its commit, and so did all later."""
    csv_source(shed, f"id,at\n1,{times}\n", time="at")
    with pytest.raises(ProjectError, match="and a time is a timestamp or a date") as caught:
        shed.run("orders")
    assert (caught.value.where, shed.version("orders")) == ("datasets.orders.time", None)
    shed.write("orders.csv", "id,at\n1,2026-01-01\n")
    assert shed.run("orders").one("dataset")["newest_us"] == int(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1e6)


def test_an_empty_source_is_a_version_without_rows_if_the_columns_are_known(shed: Shed) -> None:
    csv_source(shed, "id,name\n", columns={"id": "int64", "name": "string"})
    assert shed.run("orders").one("dataset")["rows"] == 0
    assert shed.table("orders").schema == pa.schema([("id", pa.int64()), ("name", pa.string())])
    csv_source(shed, "id,name\n", columns={"id": "int64"}, checks=[{"kind": "row_count", "min": 1}])
    with pytest.raises(ChecksFailed, match="row_count"):
        shed.run("orders")


def test_an_empty_source_without_known_columns_is_refused(shed: Shed) -> None:
    csv_source(shed, "")
    with pytest.raises(DataError, match="no row came, so no column is known"):
        shed.run("orders")
    assert shed.version("orders") is None


# ---- incremental -----------------------------------------------------------------------------------------------


def published(rows: list[dict[str, Any]]) -> Answerer:
    """An API that gives rows at or after `since`, three a page."""

    def answer(asked: Asked) -> Reply:
        found = [row for row in rows if row["at"] >= asked.query.get("since", "")]
        start = int(asked.query.get("cursor", 0))
        following = start + 3 if start + 3 < len(found) else None
        return Reply.json({"rows": found[start : start + 3], "next_cursor": following})

    return answer


def api_source(shed: Shed, url: str, **dataset: Any) -> None:
    shed.sections["sources"] = {
        "api": {
            "kind": "http",
            "url": url,
            "records": "rows",
            "paging": {"style": "cursor"},
            "incremental": {"column": "at", "key": ["id"]},
        }
    }
    shed.sections["datasets"] = {"orders": {"source": "api", "time": "at", **dataset}}


def at(hour: int) -> str:
    return f"2013-01-01T{hour:02d}:00:00Z"


@pytest.mark.slow
def test_only_new_rows_are_added_and_rows_at_the_edge_only_once(shed: Shed, site: MakeSite) -> None:
    rows: list[dict[str, Any]] = [{"id": n, "at": at(n // 2)} for n in range(7)]
    made = site(published(rows))
    api_source(shed, made.url, mode="append")
    assert shed.run("orders").one("dataset")["added"] == 7
    assert shed.run("orders").skipped == f"orders@0 is up to date: the source has no new rows since {at(3)}"
    rows += [{"id": 7, "at": at(3)}, {"id": 8, "at": at(4)}]
    facts = shed.run("orders").one("dataset")
    assert (facts["added"], facts["rows"], facts["version"]) == (2, 9, 1)
    assert facts["newest_us"] == int(datetime(2013, 1, 1, 4, tzinfo=UTC).timestamp() * 1e6)
    assert ids(shed.rows("orders")) == list(range(9))
    assert made.asked[-1].query == {"since": at(3)}


def test_a_row_that_changes_twice_in_one_moment_is_merged_as_it_is_last(shed: Shed, site: MakeSite) -> None:
    """Its key had been seen at that moment, so the second change was taken for the first, and never came again."""
    rows: list[dict[str, Any]] = [{"id": 1, "at": at(1), "n": 1}, {"id": 2, "at": at(1), "n": 1}]
    made = site(published(rows))
    api_source(shed, made.url, mode="merge", key=["id"])
    shed.run("orders")
    rows[1]["n"] = 2
    told = shed.run("orders").one("dataset")
    assert (told["added"], told["note"]) == (0, "1 row updated by key")
    assert sorted((row["id"], row["n"]) for row in shed.rows("orders")) == [(1, 1), (2, 2)]
    assert shed.run("orders").skipped


def test_with_an_overlap_what_was_committed_late_comes_and_what_is_as_it_was_makes_no_version(
    shed: Shed, site: MakeSite
) -> None:
    rows: list[dict[str, Any]] = [{"id": n, "at": at(n), "n": None if n else 1.5} for n in range(9)]
    made = site(published(rows))
    api_source(shed, made.url, mode="merge", key=["id"])
    shed.sections["sources"]["api"]["incremental"]["overlap"] = "3h"
    assert shed.run("orders").one("dataset")["rows"] == 9
    assert shed.run("orders").skipped == "orders is up to date: what came again is as it was"
    rows += [{"id": 9, "at": at(6), "n": 2.0}, {"id": 10, "at": at(3), "n": 2.0}]  # the second is later than may be
    rows[7]["n"] = 3.0
    told = shed.run("orders").one("dataset")
    assert (told["added"], told["note"]) == (1, "1 row updated by key")
    kept = {row["id"]: row["n"] for row in shed.rows("orders")}
    assert kept == {**dict.fromkeys(range(1, 9)), 0: 1.5, 7: 3.0, 9: 2.0}
    assert {asked.query.get("since") for asked in made.asked} == {None, at(5)}
    assert shed.run("orders").skipped
    assert not shed.run("orders", force=True).skipped


def test_an_overlap_is_refused_where_rows_are_appended_and_where_the_cursor_is_no_time(
    shed: Shed, site: MakeSite
) -> None:
    api_source(shed, site(published([{"id": 1, "at": "7"}])).url, mode="append")
    del shed.sections["datasets"]["orders"]["time"]
    shed.sections["sources"]["api"]["incremental"]["overlap"] = "3h"
    with pytest.raises(ProjectError, match="they would be there twice"):
        shed.run("orders")
    shed.sections["datasets"]["orders"] |= {"mode": "merge", "key": ["id"]}
    shed.run("orders")
    with pytest.raises(ProjectError, match="'at' is none: it came to '7'"):
        shed.run("orders")


def test_an_incremental_source_cannot_replace(shed: Shed, site: MakeSite) -> None:
    api_source(shed, "http://127.0.0.1:9", mode="replace")
    with pytest.raises(ProjectError, match="would keep only the newest rows"):
        shed.run("orders")


@pytest.mark.slow
def test_an_interrupted_fetch_goes_on_where_it_was(shed: Shed, site: MakeSite) -> None:
    """SIGTERM comes in the middle of the pages; the next attempt asks for the rest only."""
    rows = [{"id": n, "at": at(n)} for n in range(12)]
    stop = threading.Event()
    answer = published(rows)

    def stopping(asked: Asked) -> Reply:
        if asked.query.get("cursor") == "6":
            stop.set()
        return answer(asked)

    made = site(stopping)
    api_source(shed, made.url, mode="append")
    with pytest.raises(Preempted):
        shed.run("orders", stop=stop)
    assert shed.version("orders") is None
    made.asked.clear()
    facts = shed.run("orders", again=True).one("dataset")
    assert (facts["added"], ids(shed.rows("orders"))) == (12, list(range(12)))
    assert [asked.query["cursor"] for asked in made.asked] == ["9"]


def test_a_place_to_go_on_from_that_has_expired_is_forgotten(shed: Shed, site: MakeSite) -> None:
    """The token of the next page was no good any more, and every later run asked with it again."""
    stop = threading.Event()
    rows = [{"id": n, "at": at(n)} for n in range(12)]
    answer, expired = published(rows), False

    def answering(asked: Asked) -> Reply:
        if asked.query.get("cursor") == "6":
            stop.set()
        return Reply(b"{}", status=410) if expired and asked.query.get("cursor") == "9" else answer(asked)

    made = site(answering)
    api_source(shed, made.url, mode="append")
    with pytest.raises(Preempted):
        shed.run("orders", stop=stop)
    expired = True
    with pytest.raises(SourceError, match="it answers 410"):
        shed.run("orders")
    expired = False
    made.asked.clear()
    shed.run("orders")
    assert (len(made.asked), ids(shed.rows("orders"))) == (4, list(range(12)))


@pytest.mark.parametrize(
    ("refused", "dataset"),
    [
        pytest.param([{"id": 1, "n": "x"}], {"columns": {"id": "int64", "n": "float64"}}, id="another type"),
        pytest.param(
            [{"id": 1, "n": "x"}],
            {"columns": {"id": "int64", "n": "float64"}, "on_changed_type": "cast"},
            id="a value that does not fit",
        ),
        pytest.param([{"id": 1}], {"columns": {"id": "int64", "n": "float64"}}, id="a column that is gone"),
        pytest.param([{"id": 1}], {"key": ["n"]}, id="a column that a setting names"),
        pytest.param([{"id": None, "n": 1.5}], {"mode": "merge", "key": ["id"]}, id="no key"),
        pytest.param(
            [{"id": 1, "n": -1.0}], {"checks": [{"kind": "range", "column": "n", "min": 0.0}]}, id="a check that fails"
        ),
    ],
)
def test_what_was_refused_and_is_mended_at_the_source_is_fetched_anew(
    shed: Shed, site: MakeSite, refused: list[dict[str, Any]], dataset: dict[str, Any]
) -> None:
    """All rows were staged when they were refused, and the next run took them for what the source has."""
    rows = [refused, [{"id": 1, "n": 1.5}]]
    made = site(lambda asked: Reply(json.dumps(rows[0]).encode()))
    shed.sections["sources"] = {"api": {"kind": "http", "url": made.url}}
    shed.sections["datasets"] = {"orders": {"source": "api", **dataset}}
    with pytest.raises((DataError, ProjectError)):
        shed.run("orders")
    del rows[0]
    shed.run("orders")
    assert shed.rows("orders") == [{"id": 1, "n": 1.5}]


def test_staged_rows_of_another_setting_are_not_taken(shed: Shed, site: MakeSite) -> None:
    stop = threading.Event()
    stop.set()
    made = site(published([{"id": n, "at": at(n)} for n in range(6)]))
    api_source(shed, made.url, mode="append")
    with pytest.raises(Preempted):
        shed.run("orders", stop=stop)
    shed.sections["sources"]["api"]["params"] = {"region": "eu"}
    made.asked.clear()
    shed.run("orders")
    assert len(made.asked) == 2
    assert ids(shed.rows("orders")) == list(range(6))


# ---- schema contract -------------------------------------------------------------------------------------------


def test_only_declared_columns_are_kept_in_their_declared_types(shed: Shed) -> None:
    csv_source(shed, columns={"price": "float64", "id": "string"})
    shed.run("orders")
    assert shed.rows("orders")[0] == {"price": 1.5, "id": "1"}


def test_a_column_that_is_gone_is_refused_and_the_lake_stays(shed: Shed) -> None:
    csv_source(shed)
    shed.run("orders")
    shed.write("orders.csv", "id,name\n1,a\n")
    with pytest.raises(SchemaChanged, match="the column price of the contract is gone") as caught:
        shed.run("orders")
    assert caught.value.where == "datasets.orders.price"
    assert shed.version("orders") == 0
    assert shed.told().one("fault")["code"] == "SchemaChanged"


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["append", "replace", "merge"])
def test_a_new_column_is_added_and_told(shed: Shed, mode: str) -> None:
    csv_source(shed, mode=mode, key=["id"])
    shed.run("orders")
    shed.write("orders.csv", "id,name,price,size\n4,d,4.5,9\n")
    told = shed.run("orders")
    assert told.one("dataset")["schema_changes"] == ["new column size (int64)"]
    assert told.one("note")["message"] == "orders: new column size (int64)"
    assert next(row["size"] for row in shed.rows("orders") if row["id"] == 4) == 9


def test_a_new_column_is_ignored_or_refused_as_the_policy_says(shed: Shed) -> None:
    csv_source(shed, on_new_column="ignore")
    shed.run("orders")
    shed.write("orders.csv", "id,name,price,size\n4,d,4.5,9\n")
    assert shed.run("orders").one("dataset")["schema_changes"] == ["new column size is ignored"]
    assert shed.table("orders").schema.names == ["id", "name", "price"]
    shed.sections["datasets"]["orders"]["on_new_column"] = "refuse"
    with pytest.raises(SchemaChanged, match=r"new column 'size' \(int64\)"):
        shed.run("orders")


@pytest.mark.parametrize("mode", ["append", "replace", "merge"])
def test_a_wider_type_widens_the_whole_table(shed: Shed, mode: str) -> None:
    csv_source(shed, "id,n\n1,10\n2,20\n", mode=mode, key=["id"])
    shed.run("orders")
    shed.write("orders.csv", "id,n\n2,2.5\n3,3.5\n")
    told = shed.run("orders")
    assert told.one("dataset")["schema_changes"] == ["column n: int64 → float64"]
    found = sorted((row["id"], row["n"]) for row in shed.rows("orders"))
    news = [(2, 2.5), (3, 3.5)]
    assert (
        found
        == {"replace": news, "merge": [(1, 10.0), *news], "append": [(1, 10.0), (2, 2.5), (2, 20.0), (3, 3.5)]}[mode]
    )
    assert shed.rows("orders", 0) == [{"id": 1, "n": 10}, {"id": 2, "n": 20}]


def test_a_narrower_type_is_widened_to_what_is_there(shed: Shed) -> None:
    csv_source(shed, "id,n\n1,1.5\n", mode="append")
    shed.run("orders")
    shed.write("orders.csv", "id,n\n2,2\n")
    assert shed.run("orders").one("dataset")["schema_changes"] == []
    assert [row["n"] for row in shed.rows("orders")] == [1.5, 2.0] or [row["n"] for row in shed.rows("orders")] == [
        2.0,
        1.5,
    ]


def test_a_column_without_a_name_is_refused_unless_it_is_not_kept(shed: Shed) -> None:
    """So a data frame is written with its index. It was committed, and no run could describe it afterwards."""
    csv_source(shed, ",n\n0,1.5\n")
    with pytest.raises(SchemaChanged, match="a column has no name") as caught:
        shed.run("orders")
    assert "[datasets.orders.columns]" in caught.value.remedy
    csv_source(shed, ",n\n0,1.5\n", columns={"n": "float64"})
    shed.run("orders")
    assert shed.rows("orders") == [{"n": 1.5}]


@pytest.mark.slow
def test_another_type_is_refused_unless_it_may_be_cast(shed: Shed) -> None:
    shed.write("own.sql", "SELECT * FROM orders")
    csv_source(shed, "id,n\n1,10\n")
    derived(shed, "SELECT id, n FROM orders", mode="append")
    shed.run("orders")
    shed.run("made")
    derived(shed, "SELECT id, n::VARCHAR AS n FROM orders", mode="append")
    with pytest.raises(SchemaChanged, match="the column is string now, and its contract says int64") as caught:
        shed.run("made")
    assert 'on_changed_type = "cast"' in caught.value.remedy
    derived(shed, "SELECT id, n::VARCHAR AS n FROM orders", mode="append", on_changed_type="cast")
    shed.run("made")
    assert shed.rows("made") == [{"id": 1, "n": 10}] * 2
    derived(shed, "SELECT id, 'ten' AS n FROM orders", mode="append", on_changed_type="cast")
    with pytest.raises(SchemaChanged, match="'ten' is not a int64"):
        shed.run("made")


@pytest.mark.parametrize(
    "column",
    [
        "pa.array([2**63 - 1, None, 0], pa.int64()).cast(pa.timestamp('us', 'UTC'))",
        "pa.array([-(2**63) + 1, None, 0], pa.int64()).cast(pa.timestamp('us', 'UTC'))",
        "pa.array([2_932_897, None, 0], pa.int32()).cast(pa.date32())",
    ],
    ids=["infinity", "minus infinity", "a day of the year 10000"],
)
def test_a_time_outside_of_the_calendar_is_refused_before_the_commit(shed: Shed, column: str) -> None:
    """PostgreSQL has infinity for "until further notice": it was committed, and no run could describe it afterwards."""
    shed.write("far.py", f"import pyarrow as pa\n\n\ndef fetch():\n    return pa.table({{'until': {column}}})\n")
    shed.sections["sources"] = {"far": {"kind": "python", "function": "far.py:fetch"}}
    shed.sections["datasets"] = {"orders": {"source": "far"}}
    with pytest.raises(SchemaChanged, match="1 of 3 rows have a time outside of the years 1 to 9999") as caught:
        shed.run("orders")
    assert (caught.value.where, shed.version("orders")) == ("datasets.orders.until", None)


def test_a_number_is_not_cast_to_a_time_of_some_unit(shed: Shed) -> None:
    """Seconds since 1970 were taken for microseconds: every row was of the first half hour of that year."""
    csv_source(shed, "id,at\n1,1700000000\n")
    shed.run("orders")
    derived(shed, "SELECT * FROM orders", columns={"id": "int64", "at": "timestamp"}, on_changed_type="cast")
    with pytest.raises(SchemaChanged, match="1700000000 is a number, and nobody can say") as caught:
        shed.run("made")
    assert "to_timestamp" in caught.value.remedy


@pytest.mark.parametrize("mode", ["append", "merge"])
def test_a_number_that_only_an_integer_holds_stops_the_widening_of_its_column(shed: Shed, mode: str) -> None:
    """The rows that were there were rounded without a word, and two keys could become one."""
    csv_source(shed, f"id,n\n1,{2**53 + 1}\n2,3\n", mode=mode, key=["id"])
    shed.run("orders")
    shed.write("orders.csv", "id,n\n2,2.5\n")
    with pytest.raises(SchemaChanged, match=f"{2**53 + 1} is not a float64"):
        shed.run("orders")
    assert shed.version("orders") == 0


def test_a_value_that_does_not_fit_its_declared_type_is_named(shed: Shed) -> None:
    shed.write("orders.jsonl", '{"id": 1}\n{"id": 2.5}\n')
    shed.sections["sources"] = {"orders": {"kind": "file", "path": "orders.jsonl", "format": "jsonl"}}
    shed.sections["datasets"] = {"orders": {"source": "orders", "columns": {"id": "int64"}}}
    with pytest.raises(SchemaChanged, match=r"2\.5 is not a int64"):
        shed.run("orders")


def test_a_column_without_any_value_is_left_out_until_it_has_one(shed: Shed) -> None:
    csv_source(shed, "id,gust\n1,\n", mode="append")
    shed.run("orders")
    assert shed.table("orders").schema.names == ["id"]
    shed.write("orders.csv", "id,gust\n2,\n3,5.5\n")
    shed.run("orders")
    assert sorted((row["id"], row["gust"]) for row in shed.rows("orders") if row["id"] > 1) == [(2, None), (3, 5.5)]


def test_columns_that_differ_only_in_case_are_refused(shed: Shed) -> None:
    csv_source(shed, "id,ID\n1,2\n")
    with pytest.raises(SchemaChanged, match="upper and lower case"):
        shed.run("orders")


# ---- shaped ----------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_sql_shapes_inputs_and_records_their_versions(shed: Shed) -> None:
    csv_source(shed)
    derived(shed, "SELECT id, sum(price) OVER (ORDER BY id) AS running FROM orders")
    shed.run("orders")
    facts = shed.run("made").one("dataset")
    assert facts["inputs"] == {"orders": 0}
    assert shed.rows("made")[-1] == {"id": 3, "running": 7.5}
    again = shed.run("made")
    assert again.skipped == "made@0 is up to date: code and inputs are unchanged (orders@0)"


@pytest.mark.slow
def test_changed_sql_or_a_new_input_version_is_a_reason_to_run(shed: Shed) -> None:
    csv_source(shed)
    shed.write("made.sql", "SELECT id FROM orders")
    derived(shed, "made.sql")
    shed.run("orders")
    shed.run("made")
    shed.write("made.sql", "SELECT id, name FROM orders")
    assert shed.run("made").one("dataset")["version"] == 1
    shed.write("orders.csv", "id,name,price\n9,z,9.5\n")
    shed.run("orders")
    assert shed.run("made").one("dataset")["inputs"] == {"orders": 1}


def test_an_input_that_was_never_made_is_named_with_its_command(shed: Shed) -> None:
    csv_source(shed)
    derived(shed, "SELECT * FROM orders")
    with pytest.raises(NotFound, match="'orders' has no version yet") as caught:
        shed.run("made")
    assert "trainshed run etl:orders" in caught.value.remedy


def test_wrong_sql_leaves_the_lake_as_it_was(shed: Shed) -> None:
    csv_source(shed)
    shed.run("orders")
    shed.write("made.sql", "SELECT nope FROM orders")
    derived(shed, "made.sql")
    with pytest.raises(ProjectError, match="nope") as caught:
        shed.run("made")
    assert caught.value.where == str(shed.root / "made.sql")
    assert shed.version("made") is None


def test_a_python_function_shapes_too(shed: Shed) -> None:
    csv_source(shed)
    shed.run("orders")
    shed.write("own.py", "def double(orders):\n    return orders.append_column('twice', [[2, 4, 6]])\n")
    shed.sections["datasets"]["made"] = {"python": "own.py:double", "inputs": ["orders"]}
    shed.run("made")
    assert [row["twice"] for row in shed.rows("made")] == [2, 4, 6]


# ---- checks ----------------------------------------------------------------------------------------------------


def test_refused_rows_are_kept_apart_and_the_counts_add_up(shed: Shed) -> None:
    rule = {"kind": "range", "column": "price", "max": 3, "max_share": 0.5}
    csv_source(shed, checks=[rule])
    told = shed.run("orders")
    facts = told.one("dataset")
    assert (facts["rows"], facts["quarantined"]) == (2, 1)
    (kept,) = shed.quarantine("orders")
    assert (kept["id"], kept["_checks"], kept["_run"]) == (3, ["range(price)"], 1)
    assert told.one("checks")["results"][0]["outcome"] == "pass"
    assert told.one("checks")["version"] == 0


def test_a_failed_check_stops_the_version_and_says_which_rows(shed: Shed) -> None:
    csv_source(shed)
    shed.run("orders")
    csv_source(shed, checks=[{"kind": "range", "column": "price", "max": 3}])
    with pytest.raises(ChecksFailed) as caught:
        shed.run("orders")
    message = str(caught.value)
    assert "range(price): 1 of 3 (allowed 0.00%)" in message
    assert '"price": 3.5' in message
    assert str(shed.home.quarantine("orders")) in message
    assert shed.version("orders") == 0
    assert ids(shed.quarantine("orders")) == [3]
    told = shed.told()
    assert told.one("checks")["version"] is None
    assert told.of("dataset") == []
    assert not shed.home.staging("orders").exists()


def test_what_is_unique_must_be_so_over_the_whole_table(shed: Shed) -> None:
    csv_source(shed, mode="append", checks=[{"kind": "unique", "columns": ["id", "name"]}])
    shed.run("orders")
    shed.write("orders.csv", "id,name,price\n3,c,9.5\n3,d,9.5\n")
    with pytest.raises(ChecksFailed, match=r"unique\(id, name\) against earlier rows: 1 of 2"):
        shed.run("orders")
    assert ids(shed.rows("orders")) == [1, 2, 3]
    assert [row["name"] for row in shed.quarantine("orders")] == ["c"]


@pytest.mark.slow
def test_a_foreign_key_may_point_into_the_same_dataset(shed: Shed) -> None:
    rule = {"kind": "foreign_key", "column": "parent", "dataset": "orders", "to": "id"}
    csv_source(shed, "id,parent\n1,1\n2,1\n", mode="append", checks=[rule])
    shed.run("orders")
    shed.write("orders.csv", "id,parent\n3,1\n4,3\n")
    shed.run("orders")
    shed.write("orders.csv", "id,parent\n5,99\n")
    with pytest.raises(ChecksFailed, match="foreign_key"):
        shed.run("orders")


@pytest.mark.slow
def test_a_foreign_key_waits_for_what_it_points_to(shed: Shed) -> None:
    rule = {"kind": "foreign_key", "column": "id", "dataset": "orders", "to": "id"}
    csv_source(shed)
    derived(shed, "SELECT id FROM orders UNION ALL SELECT 77", checks=[rule | {"max_share": 0.5}])
    shed.run("orders")
    shed.run("made")
    assert ids(shed.rows("made")) == [1, 2, 3]
    assert ids(shed.quarantine("made")) == [77]


@pytest.mark.slow
def test_quarantine_keeps_what_it_has_when_a_type_changes(shed: Shed) -> None:
    rule = {"kind": "sql", "rule": "false", "max_share": 1.0}
    csv_source(shed, "id,n\n1,10\n", checks=[rule], on_changed_type="cast")
    shed.run("orders")
    csv_source(shed, "id,n\n2,ten\n", checks=[rule], columns={"id": "int64", "n": "string"}, on_changed_type="cast")
    shed.run("orders")
    assert [(row["id"], row["n"]) for row in sorted(shed.quarantine("orders"), key=lambda row: row["id"])] == [
        (1, "10"),
        (2, "ten"),
    ]


# ---- crashes and company ---------------------------------------------------------------------------------------


@pytest.mark.slow
def test_what_was_committed_and_not_told_is_told_by_the_next_attempt(shed: Shed) -> None:
    """The process dies right behind the commit: killed inside the spool's write, in a child of its own."""
    csv_source(shed, checks=[{"kind": "not_null", "column": "id"}])
    code = f"""
import os, sys
sys.path.insert(0, {str(shed.root)!r})
from pathlib import Path
from tests.unit.etl.conftest import Shed
from pipeline.process.spool import Spool
class Mortal(Spool):
    def facts(self, event, facts):
        os._exit(9)
import tests.unit.etl.conftest as conftest
conftest.Spool = Mortal
Shed(Path({str(shed.root)!r}), {shed.sections!r}).run("orders")
"""
    died = subprocess.run([sys.executable, "-c", code], timeout=60, check=False)
    assert died.returncode == 9
    assert shed.version("orders") == 0
    shed.runs = 1
    told = shed.run("orders", again=True)
    assert (told.one("dataset")["version"], told.one("dataset")["added"]) == (0, 3)
    assert told.one("checks")["version"] == 0
    assert told.skipped is None
    assert shed.version("orders") == 0


def test_two_runs_of_one_dataset_do_not_meet(shed: Shed) -> None:
    csv_source(shed)
    with locked(shed.home.staging("orders")), pytest.raises(Conflict, match="another run is making orders"):
        shed.run("orders")


def test_an_api_that_turns_to_html_leaves_the_lake_as_it_was(shed: Shed, site: MakeSite) -> None:
    made = site(published([{"id": 1, "at": at(1)}]))
    api_source(shed, made.url, mode="append")
    shed.run("orders")
    made.answer = lambda _: Reply(b"<html>Bad Gateway</html>")
    with pytest.raises(SourceMalformed, match="<html>Bad Gateway"):
        shed.run("orders")
    assert ids(shed.rows("orders")) == [1]


def test_metadata_of_the_commit_says_what_it_came_from(shed: Shed) -> None:
    csv_source(shed)
    derived(shed, "SELECT id FROM orders")
    shed.run("orders")
    shed.run("made")
    newest = lake.latest(shed.home.dataset("made"))
    assert newest is not None
    assert json.loads(newest.metadata[lake.INPUTS]) == {"orders": 0}
    assert newest.metadata[lake.RUN] == "2"
