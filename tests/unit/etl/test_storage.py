"""Faults of the machine are told as such, and leave the lake as it was."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest

from pipeline.tables.storage import storage_faults
from store.errors import StorageError

if TYPE_CHECKING:
    from tests.unit.etl.conftest import Shed


def test_a_full_disk_is_a_storage_error_with_a_way_out(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="the disk is full") as caught, storage_faults(tmp_path):
        # The device on which every write finds the disk full.
        Path("/dev/full").write_bytes(b"x" * 100_000)
    assert "free space" in caught.value.remedy


def test_a_home_that_cannot_be_written_is_a_storage_error(shed: Shed) -> None:
    (shed.root / "home").mkdir()
    (shed.root / "home" / "staging").write_text("a file where a folder has to be")
    shed.write("orders.csv", "id\n1\n")
    shed.sections["sources"] = {"orders": {"kind": "file", "path": "orders.csv", "format": "csv"}}
    shed.sections["datasets"] = {"orders": {"source": "orders"}}
    with pytest.raises(StorageError, match="there is a file where a folder has to be"):
        shed.run("orders")


def test_too_little_memory_and_disk_for_a_query_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="memory"), storage_faults(tmp_path):
        duckdb.connect(config={"memory_limit": "10MB", "temp_directory": ""}).execute(
            "CREATE TABLE t AS SELECT repeat('x', 100) || x AS t FROM range(5_000_000) s(x)"
        )


def test_other_errors_go_through_as_they_are(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), storage_faults(tmp_path):
        (tmp_path / "nope").open()


@pytest.mark.slow
def test_an_ingest_that_does_not_fit_on_the_disk_leaves_the_lake_as_it_was(shed: Shed) -> None:
    """A real limit of the operating system, in a process of its own: no file may be larger than 200 kB."""
    shed.sections["sources"] = {"orders": {"kind": "file", "path": "orders.csv", "format": "csv"}}
    shed.sections["datasets"] = {"orders": {"source": "orders"}}
    shed.write("orders.csv", "id\n1\n")
    shed.run("orders")
    code = f"""
import resource
from pathlib import Path
from store.errors import StorageError
from tests.unit.etl.conftest import Shed
shed = Shed(Path({str(shed.root)!r}), {shed.sections!r}, runs=1)
shed.write("orders.csv", "id\\n" + "".join(f"{{hash((n, 'x'))}}\\n" for n in range(200_000)))
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
try:
    shed.run("orders")
except StorageError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert "free space" in done.stdout, done.stderr
    staged = shed.root / "home" / "staging" / "orders"
    assert f"stays in {staged}, and the next run goes on from there" in done.stdout
    assert list(staged.glob("part-*"))
    assert shed.rows("orders") == [{"id": 1}]
    assert shed.version("orders") == 0
