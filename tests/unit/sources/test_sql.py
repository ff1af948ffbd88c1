"""The sql source on SQLite."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.sources import Cursor
from pipeline.sources.sql import with_cursor
from store.errors import ProjectError, SourceError, SourceMalformed, SourceTooLarge, SourceUnreachable

if TYPE_CHECKING:
    from tests.unit.sources.conftest import Desk

INCREMENTAL = {"column": "at"}


@pytest.fixture
def database(tmp_path: Path) -> Path:
    file = tmp_path / "shop.db"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("CREATE TABLE orders (id INTEGER, price REAL, name TEXT, at TEXT)")
        rows = [(n, n / 2, f"n{n}", f"2013-01-01 {n:02d}:00:00") for n in range(10)]
        connection.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)", rows)
    return file


def section(query: str = "SELECT * FROM orders ORDER BY id", **more: Any) -> dict[str, Any]:
    return {"kind": "sql", "uri": "sqlite:shop.db", "query": query, "timezone": "UTC", **more}


@pytest.mark.parametrize("query", ["VACUUM INTO 'copy.db'", "ATTACH 'copy.db' AS other"])
def test_a_query_cannot_reach_a_second_file(desk: Desk, database: Path, query: str) -> None:
    with pytest.raises(ProjectError):
        desk.read(**section(query.replace("copy.db", str(desk.root / "copy.db"))))
    assert not (desk.root / "copy.db").exists()


def test_a_query_gives_typed_columns_in_utc(desk: Desk, database: Path) -> None:
    rows = desk.read(**section(batch_rows=4))
    assert len(rows) == 10
    assert rows[3] == {"id": 3, "price": 1.5, "name": "n3", "at": datetime(2013, 1, 1, 3, tzinfo=UTC)}


def test_the_query_may_be_a_file(desk: Desk, database: Path) -> None:
    (desk.root / "orders.sql").write_text("SELECT id FROM orders WHERE id < 2;\n")
    assert desk.read(**section("orders.sql")) == [{"id": 0}, {"id": 1}]


def test_later_runs_ask_only_from_the_cursor_on(desk: Desk, database: Path) -> None:
    """The cursor goes to SQLite as SQLite wrote it: as text, `2013-01-01T…` would be behind all of that day."""
    asked = section("SELECT * FROM orders", incremental=INCREMENTAL)
    assert len(desk.read(**asked)) == 10
    cursor = Cursor(value="2013-01-01 08:00:00", kind="text")
    assert [row["id"] for row in desk.read(**asked, cursor=cursor)] == [8, 9]


def test_a_query_that_places_the_cursor_itself_needs_a_first_one(desk: Desk, database: Path) -> None:
    asked = section("SELECT id FROM orders WHERE at >= :since", incremental=INCREMENTAL)
    with pytest.raises(ProjectError, match="a first run has no cursor") as caught:
        desk.read(**asked)
    assert "initial" in caught.value.remedy
    assert desk.read(**asked, cursor=Cursor(value="2013-01-01 09:00:00", kind="text")) == [{"id": 9}]


def test_a_cast_is_not_taken_for_a_parameter() -> None:
    assert with_cursor("a::since >= :since AND b = :sinces", "since", "$1") == "a::since >= $1 AND b = :sinces"


def test_wrong_sql_is_a_fault_of_the_project_with_its_place(desk: Desk, database: Path) -> None:
    with pytest.raises(ProjectError, match="no such column: nope") as caught:
        desk.read(**section("SELECT nope FROM orders"))
    assert caught.value.where == "sources.orders.query"


def test_the_database_cannot_be_changed_by_reading_it(desk: Desk, database: Path) -> None:
    with pytest.raises(ProjectError, match="readonly"):
        desk.read(**section("DELETE FROM orders"))
    assert len(desk.read(**section())) == 10


def test_a_missing_database_is_not_made(desk: Desk) -> None:
    with pytest.raises(SourceError, match="no such database"):
        desk.read(**section())
    assert not (desk.root / "shop.db").exists()


def test_what_is_no_database_is_malformed(desk: Desk) -> None:
    (desk.root / "shop.db").write_bytes(b"<html>" * 1000)
    with pytest.raises(SourceMalformed, match="not a database"):
        desk.read(**section())


@pytest.mark.slow
def test_a_locked_database_is_worth_a_later_try(desk: Desk, database: Path) -> None:
    with closing(sqlite3.connect(database)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(SourceUnreachable, match="locked"):
            desk.read(**section())


def test_a_column_of_several_types_says_how_to_read_it(desk: Desk, database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE orders SET id = 'x' WHERE id = 5")
    with pytest.raises(SourceMalformed, match="several types") as caught:
        desk.read(**section("SELECT * FROM orders"))
    assert "CAST(id AS TEXT)" in caught.value.remedy


def test_the_bound_holds_for_databases_too(desk: Desk, database: Path) -> None:
    with pytest.raises(SourceTooLarge):
        desk.read(**section(max_bytes=100))


def test_an_unknown_database_is_refused(desk: Desk) -> None:
    with pytest.raises(ProjectError, match="no database that can be read"):
        desk.read(kind="sql", uri="oracle://x", query="SELECT 1")


def test_two_columns_of_one_name_are_refused(desk: Desk, database: Path) -> None:
    """As a join with * gives them."""
    with pytest.raises(SourceMalformed, match="two columns have the same name: id") as caught:
        desk.read(**section("SELECT a.*, b.id FROM orders a JOIN orders b USING (id)"))
    assert "AS" in caught.value.remedy
