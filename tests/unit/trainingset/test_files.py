"""The digest of rows, and a set on disk that is whole or not there."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.trainingset.files import RowHash, part_file, write_set
from pipeline.trainingset.split import Part

SCHEMA = pa.schema(
    [
        ("i", pa.int64()),
        ("f", pa.float32()),
        ("b", pa.bool_()),
        ("s", pa.string()),
        ("t", pa.timestamp("us", tz="UTC")),
        ("d", pa.date32()),
        ("l", pa.list_(pa.int32())),
    ]
)
rows = st.lists(
    st.fixed_dictionaries(
        {
            "i": st.none() | st.integers(-5, 5),
            "f": st.none() | st.floats(width=32, allow_nan=False),
            "b": st.none() | st.booleans(),
            "s": st.none() | st.sampled_from(["", "a", "ab", "é"]),
            "t": st.none() | st.just(datetime(1969, 1, 1, tzinfo=UTC)),
            "d": st.none() | st.just(date(1969, 1, 1)),
            "l": st.none() | st.lists(st.integers(0, 3), max_size=2),
        }
    ),
    max_size=12,
)


def digest(table: pa.Table, batch: int) -> str:
    hashed = RowHash(table.schema)
    for piece in table.to_batches(max_chunksize=batch):
        hashed.update(piece)
    return hashed.hexdigest()


@pytest.mark.slow
@given(table=rows, batch=st.integers(1, 5))
def test_the_digest_does_not_depend_on_how_rows_are_batched(table: list[dict[str, Any]], batch: int) -> None:
    whole = pa.Table.from_pylist(table, SCHEMA)
    assert digest(whole, batch) == digest(whole, 1000)


@pytest.mark.slow
@given(one=rows, other=rows)
def test_different_rows_have_different_digests(one: list[dict[str, Any]], other: list[dict[str, Any]]) -> None:
    first, second = pa.Table.from_pylist(one, SCHEMA), pa.Table.from_pylist(other, SCHEMA)
    same = [{**r, "f": str(r["f"])} for r in one] == [{**r, "f": str(r["f"])} for r in other]  # -0.0 is not 0.0
    assert (digest(first, 100) == digest(second, 100)) == same


def test_what_lies_under_a_missing_value_does_not_count() -> None:
    noisy = pa.array([1, 2], mask=None).filter(pa.array([True, True]))
    values = pa.py_buffer(b"\x01" + b"\x07" * 7 + b"\x02" + b"\x00" * 7)
    hidden = pa.Array.from_buffers(pa.int64(), 2, [pa.py_buffer(b"\x02"), values])
    assert digest(pa.table({"i": hidden}), 10) == digest(pa.table({"i": pa.array([None, 2], pa.int64())}), 10)
    assert digest(pa.table({"i": noisy}), 10) != digest(pa.table({"i": hidden}), 10)


def test_a_set_that_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    def read(part: Part) -> pa.RecordBatchReader:
        if part == "test":
            raise OSError("the disk is gone")
        return pa.RecordBatchReader.from_batches(SCHEMA, [])

    with pytest.raises(OSError, match="the disk is gone"):
        write_set(tmp_path / "sets", read, lambda rows, row_hash: {"rows": dict(rows), "row_hash": row_hash})
    assert list((tmp_path / "sets").iterdir()) == []


def test_numbers_that_are_nearly_all_different_are_written_as_they_are(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    table = pa.table(
        {
            "all different": rng.normal(size=5000),
            "few": rng.integers(0, 9, 5000).astype(np.float64),
            "id": range(5000),
            "word": [f"w{n}" for n in range(5000)],
        }
    )
    found = write_set(tmp_path, lambda part: table.to_reader(1000), lambda rows, row_hash: {"rows": dict(rows)})
    written = part_file(tmp_path / found, "train")
    assert pq.read_table(written).equals(table)
    columns = [pq.read_metadata(written).row_group(0).column(place) for place in range(4)]
    assert {one.path_in_schema: one.has_dictionary_page for one in columns} == {
        "all different": False,
        "few": True,
        "id": False,
        "word": True,
    }


def test_a_part_without_rows_is_a_file_without_rows(tmp_path: Path) -> None:
    def read(part: Part) -> pa.RecordBatchReader:
        return pa.RecordBatchReader.from_batches(SCHEMA, [])

    written = part_file(tmp_path / write_set(tmp_path, read, lambda rows, row_hash: {"rows": dict(rows)}), "test")
    assert pq.read_table(written).equals(SCHEMA.empty_table())
