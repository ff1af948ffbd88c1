"""Shaping by SQL or Python: UTC, nothing but the inputs, and faults with their place."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.dataset as pads
import pyarrow.parquet as pq
import pytest

from pipeline.config import Project
from pipeline.config.datasets import Dataset
from pipeline.tables.duck import connect
from pipeline.tables.shape import shape
from store.errors import ProjectError, StorageError

ORDERS = pa.table(
    {
        "id": [1, 2],
        "price": [1.5, 2.5],
        "moment": pa.array([datetime(2013, 7, 1, 5, tzinfo=UTC), None], pa.timestamp("us", tz="UTC")),
    }
)


def made(root: Path, **section: Any) -> pa.Table:
    project = Project.model_validate({"project": {"name": "x"}}).placed_in(root)
    dataset = Dataset(inputs=["orders"], **section)
    return shape(project, dataset, {"orders": pads.dataset(ORDERS)}).read_all()


def test_sums_of_integers_are_integers_and_odd_types_become_text(tmp_path: Path) -> None:
    result = made(
        tmp_path, sql="SELECT sum(id) AS n, time '05:00' AS t, 'a'::ENUM('a') AS e, 7::UTINYINT AS u FROM orders;"
    )
    assert [str(type_) for type_ in result.schema.types] == ["int64", "string", "string", "int16"]
    assert result.to_pylist() == [{"n": 3, "t": "05:00:00", "e": "a", "u": 7}]


def test_a_sum_that_does_not_fit_is_an_error_not_another_number(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"out of range|INT64"):
        made(tmp_path, sql="SELECT sum(id + 9223372036854775800 - id) * id AS n FROM orders GROUP BY id")


def test_days_are_cut_in_utc_whatever_the_machine_thinks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    result = made(tmp_path, sql="SELECT date_trunc('day', moment) AS day FROM orders WHERE moment IS NOT NULL")
    assert result.to_pylist() == [{"day": datetime(2013, 7, 1, tzinfo=UTC)}]


def test_times_without_zone_are_refused_with_the_words_to_write(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="times without a zone in local") as caught:
        made(tmp_path, sql="SELECT moment AT TIME ZONE 'America/New_York' AS local FROM orders")
    assert "local AT TIME ZONE 'UTC' AS local" in caught.value.remedy


def test_an_interval_says_what_it_could_be(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="interval cannot be stored: d"):
        made(tmp_path, sql="SELECT moment - moment AS d FROM orders")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "COPY orders TO '/tmp/stolen.csv'",
        "SELECT * FROM secret_local_variable",
        "INSTALL httpfs",
        "SET enable_external_access = true",
    ],
)
def test_sql_reaches_its_inputs_and_nothing_else(tmp_path: Path, sql: str) -> None:
    secret_local_variable = ORDERS
    with pytest.raises(ProjectError):
        made(tmp_path, sql=sql)
    assert secret_local_variable is ORDERS


def test_wrong_sql_is_told_with_its_file(tmp_path: Path) -> None:
    (tmp_path / "shape.sql").write_text("SELECT pirce FROM orders")
    with pytest.raises(ProjectError, match='"pirce" not found') as caught:
        made(tmp_path, sql="shape.sql")
    assert caught.value.where == str(tmp_path / "shape.sql")
    assert "orders" in caught.value.remedy


def test_what_goes_wrong_in_a_row_is_told_too(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="Could not convert string 'x1'"):
        made(tmp_path, sql="SELECT ('x' || id)::INT AS n FROM orders")


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="same name"):
        made(tmp_path, sql="SELECT id, price AS ID FROM orders")


def test_a_missing_sql_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="No such file") as caught:
        made(tmp_path, sql="sql/nope.sql")
    assert caught.value.where == str(tmp_path / "sql/nope.sql")


@pytest.mark.parametrize("path", ["../beside.sql", "/tmp/beside.sql", "sql/../../beside.sql"])
def test_a_sql_file_outside_of_the_project_is_not_read(tmp_path: Path, path: str) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (tmp_path / "beside.sql").write_text("SELECT 'beside' AS found")
    with pytest.raises(ProjectError, match="outside of the project"):
        made(project, sql=path)


def test_a_connection_reads_what_it_was_given_and_nothing_else(tmp_path: Path) -> None:
    pq.write_table(ORDERS, tmp_path / "given.parquet")
    pq.write_table(ORDERS, tmp_path / "other.parquet")
    with connect(readable=[tmp_path / "given.parquet"], spill=tmp_path / "spill") as connection:
        count = f"SELECT count(*) FROM '{tmp_path}/%s.parquet'"
        assert connection.sql(count % "given").fetchall() == [(2,)]
        with pytest.raises(duckdb.PermissionException, match=r"other\.parquet"):
            connection.sql(count % "other")
        with pytest.raises(duckdb.InvalidInputException, match="locked"):
            connection.sql("SET enable_external_access = true")


def test_spilled_rows_wait_where_no_other_user_can_read_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    connect().close()
    (folder,) = tmp_path.iterdir()
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.chmod(0o755)
    with pytest.raises(StorageError, match="not this user's alone"):
        connect()


def test_a_function_gets_tables_by_the_names_of_its_arguments(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text("from helper import FACTOR\ndef f(orders):\n    return orders.slice(0, FACTOR)\n")
    (tmp_path / "helper.py").write_text("FACTOR = 1\n")
    assert made(tmp_path, python="own.py:f").num_rows == 1


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("def f(nope): pass", "asks for nope; it can have: orders"),
        ("def f(orders): return 5", "returned a int, not an Arrow table"),
        ("def f(orders): return orders.nope", r"AttributeError: .*nope.* \(own.py:1\)"),
        ("def g(): pass", r"has no function 'f' \(it defines: g\)"),
        ("def f(:", "own.py:1 cannot be loaded: SyntaxError"),
        ("import nothing_of_that_name", "own.py:1 cannot be loaded: ModuleNotFoundError"),
        (
            "import pyarrow as pa, datetime\ndef f(orders): return pa.table({'t': [datetime.datetime(2013, 1, 1)]})",
            "times without a zone in t",
        ),
    ],
)
def test_faults_of_a_function_are_told_with_their_place(tmp_path: Path, code: str, message: str) -> None:
    (tmp_path / "own.py").write_text(code)
    with pytest.raises(ProjectError, match=message) as caught:
        made(tmp_path, python="own.py:f")
    assert caught.value.where == "own.py:f"


def test_code_outside_of_the_project_is_not_loaded(tmp_path: Path) -> None:
    (tmp_path / "outside.py").write_text("def f(orders): return orders")
    inside = tmp_path / "project"
    inside.mkdir()
    with pytest.raises(ProjectError, match="outside of the project"):
        made(inside, python="../outside.py:f")


@pytest.mark.slow
def test_work_that_is_larger_than_memory_goes_to_disk(tmp_path: Path) -> None:
    connection = connect(memory=100 * 2**20, spill=tmp_path / "spill")
    connection.execute("CREATE TABLE big AS SELECT hash(x) AS h, repeat('x', 60) || x AS t FROM range(2_000_000) s(x)")
    ((rows,),) = connection.execute("SELECT count(*) FROM (SELECT * FROM big ORDER BY h)").fetchall()
    connection.close()
    assert rows == 2_000_000
