"""Rows in quarantine, read by a program of its own; what a commit says of itself, read without the Delta library."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from daemon.program import ask_program
from pipeline.etl.quarantine import keep
from pipeline.etl.refused import refused
from pipeline.tables.arrow import TIMESTAMP
from store import lake
from store.commits import CURSOR, commit_metadata
from tests.unit.etl.conftest import NOW, Shed

SECTIONS = {
    "sources": {"orders": {"kind": "file", "path": "orders.csv", "format": "csv", "timezone": "UTC"}},
    "datasets": {
        "orders": {
            "source": "orders",
            "mode": "append",
            "time": "at",
            "columns": {"id": "int64", "n": "int64", "at": "timestamp"},
            "checks": [
                {"kind": "range", "column": "n", "min": 0, "max_share": 1.0},
                {"kind": "not_null", "column": "n", "name": "has n", "max_share": 1.0},
            ],
        }
    },
}


def twice(shed: Shed) -> None:
    """Two runs, each of which throws rows out."""
    shed.sections = SECTIONS
    shed.write("orders.csv", "id,n,at\n1,5,2026-01-01T00:00:00Z\n2,-1,2026-01-01T00:00:00Z\n3,,2026-01-01T00:00:00Z\n")
    shed.run("orders")
    shed.write("orders.csv", "id,n,at\n4,-7,2026-01-02T00:00:00Z\n5,9,2026-01-02T00:00:00Z\n")
    shed.run("orders", now=lambda: NOW + timedelta(hours=1))


@pytest.mark.slow
def test_refused_rows_come_newest_first_with_the_checks_that_threw_them_out(shed: Shed) -> None:
    twice(shed)
    found = refused(shed.home.quarantine("orders"), run=None, check=None, limit=10)
    assert found["total"] == 3
    assert (found["rows"][0]["values"]["id"], found["rows"][0]["run"]) == (4, 2)
    assert {row["values"]["id"]: row["checks"] for row in found["rows"]} == {
        4: ["range(n)"],
        2: ["range(n)"],
        3: ["has n"],
    }
    assert set(found["rows"][0]["values"]) == {"id", "n", "at"}


@pytest.mark.slow
def test_they_are_found_by_run_and_by_check_and_bounded(shed: Shed) -> None:
    twice(shed)
    table = shed.home.quarantine("orders")
    assert refused(table, run=2, check=None, limit=10)["total"] == 1
    assert [row["values"]["id"] for row in refused(table, run=None, check="has n", limit=10)["rows"]] == [3]
    few = refused(table, run=None, check=None, limit=1)
    assert (few["total"], len(few["rows"])) == (3, 1)


def test_every_kind_of_value_comes_as_json_also_from_a_folder_with_signs_and_from_before_a_column(
    tmp_path: Path,
) -> None:
    table = tmp_path / "my table's é"
    old = pa.table({"n": [1, 2], "_checks": [["a"], ["a", "b"]]})
    new = pa.table(
        {
            "n": [3],
            "_checks": [["b"]],
            "at": pa.array([NOW], TIMESTAMP),
            "local": pa.array([NOW.replace(tzinfo=None)], pa.timestamp("us")),
            "on": [NOW.date()],
            "price": [Decimal("1.50")],
            "raw": [b"\x00\xff"],
            "share": [float("nan")],
            "text": ["x" * 300],
            "seen": pa.array([[NOW]], pa.list_(TIMESTAMP)),
            "inner": [{"deep": True}],
        }
    )
    keep(table, old.to_reader(), run=1, ingest="one", now=NOW)
    keep(table, new.to_reader(), run=2, ingest="two", now=NOW + timedelta(hours=1))
    first, *others = refused(table, run=None, check=None, limit=10)["rows"]
    assert first["at"] == "2026-01-01T01:00:00+00:00"
    assert first["values"] == {
        "n": 3,
        "at": "2026-01-01T00:00:00+00:00",
        "local": "2026-01-01T00:00:00",
        "on": "2026-01-01",
        "price": "1.50",
        "raw": "AP8=",
        "share": "nan",
        "text": "x" * 199 + "…",
        "seen": ["2026-01-01T00:00:00"],
        "inner": {"deep": True},
    }
    assert {row["values"]["n"]: row["values"]["at"] for row in others} == {1: None, 2: None}


def test_nothing_is_in_quarantine_before_something_was_refused(tmp_path: Path) -> None:
    assert ask_program("pipeline.etl.refused", [str(tmp_path / "none")], 60.0) == {"total": 0, "rows": []}


@pytest.mark.slow
def test_a_commit_says_of_itself_what_was_put_into_it(shed: Shed) -> None:
    twice(shed)
    path = shed.home.dataset("orders")
    newest = lake.latest(path)
    assert newest is not None
    said = commit_metadata(path, newest.version)
    assert {name: value for name, value in said.items() if name.startswith(lake.PREFIX)} == newest.metadata
    assert commit_metadata(path, 99) == {}
    assert CURSOR == lake.CURSOR
