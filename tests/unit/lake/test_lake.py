"""The lake: every version stays, a commit is whole or not there, and who comes second is told."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store import lake
from store.errors import Conflict, NotFound
from tests.examples import examples

MOMENT = pa.timestamp("us", tz="UTC")


def rows(*ids: int, **columns: pa.Array) -> pa.RecordBatchReader:
    table = pa.table({"id": pa.array(ids, pa.int64()), **columns})
    return pa.RecordBatchReader.from_batches(table.schema, table.to_batches())


def put(
    path: Path, reader: pa.RecordBatchReader, mode: lake.Mode = "append", metadata: dict[str, str] | None = None
) -> lake.LakeVersion:
    before = lake.latest(path)
    expected = before.version if before else None
    return lake.commit(path, reader, mode=mode, key=["id"], metadata=metadata or {}, expected=expected)


def ids(path: Path, version: int | None = None) -> list[int]:
    found: list[int] = lake.dataset_at(path, version).to_table()["id"].to_pylist()
    return sorted(found)


def test_there_is_no_version_before_the_first(tmp_path: Path) -> None:
    assert lake.latest(tmp_path / "t") is None
    assert lake.history(tmp_path / "t") == []
    with pytest.raises(NotFound, match="no such table"):
        lake.dataset_at(tmp_path / "t")


def test_every_version_stays_readable(tmp_path: Path) -> None:
    put(tmp_path, rows(1, 2))
    put(tmp_path, rows(3))
    put(tmp_path, rows(9), "replace")
    assert [ids(tmp_path, version) for version in (0, 1, 2)] == [[1, 2], [1, 2, 3], [9]]
    assert [v.rows for v in lake.history(tmp_path)] == [1, 3, 2]
    with pytest.raises(NotFound, match="no version 3"):
        lake.dataset_at(tmp_path, 3)


def test_a_merge_updates_by_key_and_inserts_the_rest(tmp_path: Path) -> None:
    put(tmp_path, rows(1, 2, name=pa.array(["a", "b"])))
    version = put(tmp_path, rows(2, 3, name=pa.array(["B", "c"])), "merge")
    assert version.rows == 3
    found = lake.dataset_at(tmp_path).to_table().sort_by("id").to_pydict()
    assert found == {"id": [1, 2, 3], "name": ["a", "B", "c"]}


def test_floats_that_differ_are_split_into_bytes_and_those_that_repeat_have_a_dictionary(tmp_path: Path) -> None:
    many = range(200_000)
    numbers = {"weight": pa.array(many, pa.float64()), "price": pa.array([float(n % 7) for n in many])}
    put(tmp_path, rows(*many, **numbers))
    (file,) = tmp_path.glob("*.parquet")
    written = pq.read_metadata(file)
    found = {(one := written.row_group(0).column(i)).path_in_schema: one.encodings for i in range(3)}
    assert "BYTE_STREAM_SPLIT" in found["weight"]
    assert "RLE_DICTIONARY" in found["price"]
    assert [written.row_group(group).num_rows for group in range(2)] == [131_072, 200_000 - 131_072]
    read = lake.dataset_at(tmp_path).to_table().sort_by("id").combine_chunks()
    assert read.equals(pa.table({"id": pa.array(many, pa.int64()), **numbers}))


def test_a_new_column_is_missing_in_the_older_rows(tmp_path: Path) -> None:
    put(tmp_path, rows(1))
    put(tmp_path, rows(2, at=pa.array([5], MOMENT)))
    put(tmp_path, rows(2, 3, at=pa.array([6, 7], MOMENT), more=pa.array(["x", "y"])), "merge")
    found = lake.dataset_at(tmp_path).to_table().sort_by("id")
    assert found["at"].cast(pa.int64()).to_pylist() == [None, 6, 7]
    assert found["more"].to_pylist() == [None, "x", "y"]
    assert lake.dataset_at(tmp_path, 0).schema.names == ["id"]


def test_an_empty_table_is_a_version_with_its_columns(tmp_path: Path) -> None:
    version = put(tmp_path, rows())
    assert (version.rows, version.bytes, version.schema.names) == (0, 0, ["id"])
    assert ids(tmp_path) == []


def test_our_metadata_stays_with_its_version(tmp_path: Path) -> None:
    put(tmp_path, rows(1), metadata={lake.CURSOR: '{"value":1}', lake.RUN: "7"})
    put(tmp_path, rows(2), metadata={lake.RUN: "8"})
    assert [dict(v.metadata) for v in lake.history(tmp_path)] == [
        {lake.RUN: "8"},
        {lake.CURSOR: '{"value":1}', lake.RUN: "7"},
    ]


def test_who_comes_second_is_told_and_writes_nothing(tmp_path: Path) -> None:
    put(tmp_path, rows(1))
    put(tmp_path, rows(2))
    with pytest.raises(Conflict, match="made against version 0, and now there is version 1"):
        lake.commit(tmp_path, rows(3), mode="append", metadata={}, expected=0)
    with pytest.raises(Conflict, match="no version"):
        lake.commit(tmp_path, rows(3), mode="append", metadata={}, expected=None)
    assert ids(tmp_path) == [1, 2]


@pytest.mark.parametrize("mode", ["append", "replace", "merge"])
def test_a_commit_that_comes_while_rows_are_still_read_wins(tmp_path: Path, mode: lake.Mode) -> None:
    """The race in the middle: the version was right at the start and is not at the end."""
    put(tmp_path, rows(1))

    def slowly() -> pa.RecordBatchReader:
        schema = pa.schema([("id", pa.int64())])

        def batches() -> Iterator[pa.RecordBatch]:
            other = threading.Thread(target=put, args=(tmp_path, rows(2)))
            other.start()
            other.join()
            yield pa.RecordBatch.from_pydict({"id": [3]}, schema=schema)

        return pa.RecordBatchReader.from_batches(schema, batches())

    with pytest.raises(Conflict):
        lake.commit(tmp_path, slowly(), mode=mode, key=["id"], metadata={}, expected=0)
    assert ids(tmp_path) == [1, 2]


def test_a_reader_that_fails_leaves_the_table_as_it_was(tmp_path: Path) -> None:
    put(tmp_path, rows(1))

    def batches() -> Iterator[pa.RecordBatch]:
        yield pa.RecordBatch.from_pydict({"id": [2]})
        raise RuntimeError("the disk of the source broke")

    reader = pa.RecordBatchReader.from_batches(pa.schema([("id", pa.int64())]), batches())
    with pytest.raises(RuntimeError, match="the disk of the source broke"):
        lake.commit(tmp_path, reader, mode="append", metadata={}, expected=0)
    assert ids(tmp_path) == [1]


@pytest.mark.slow
def test_a_table_that_may_not_grow_is_a_storage_error_and_stays_as_it_was(tmp_path: Path) -> None:
    """A real limit of the operating system, in a process of its own: no file may be larger than 100 kB."""
    put(tmp_path, rows(1))
    code = """
import resource, sys, os
from pathlib import Path
import pyarrow as pa
from store import lake
from store.errors import StorageError
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
table = pa.table({"id": [i for i in range(10)], "noise": [os.urandom(50_000) for _ in range(10)]})
try:
    lake.commit(Path(sys.argv[1]), table.to_reader(), mode="append", metadata={}, expected=0)
except StorageError as error:
    print(error.remedy)
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=60)
    assert "free disk space" in done.stdout, done.stderr
    assert ids(tmp_path) == [1]


@pytest.mark.slow
@settings(max_examples=examples(15))
@given(batches=st.lists(st.dictionaries(st.integers(0, 9), st.integers(0, 5), min_size=1), max_size=5))
def test_merging_is_what_updating_a_dict_is(
    batches: list[dict[int, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("merge")
    truth: dict[int, int] = {}
    for batch in batches:
        put(path, rows(*batch, value=pa.array(batch.values(), pa.int64())), "merge")
        truth |= batch
    if batches:
        found = lake.dataset_at(path).to_table().to_pydict()
        assert dict(zip(found["id"], found["value"], strict=True)) == truth
        assert len(found["id"]) == len(truth)
