"""Parts are read in batches, by row number, or as a sample."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.tables.shape import BATCH_ROWS
from pipeline.trainingset.reading import most_judged, read_batches, sample_ids, take_rows


@pytest.fixture
def file(tmp_path: Path) -> Path:
    place = tmp_path / "part.parquet"
    table = pa.table({"id": range(100), "word": [f"w{n}" for n in range(100)]})
    pq.write_table(table, place, row_group_size=7)
    return place


def test_batches_are_all_rows_in_their_order(file: Path) -> None:
    for threads in (True, False):
        batches = read_batches(file, threads=threads)
        assert [n for batch in batches for n in batch["id"].to_pylist()] == list(range(100))


def test_words_are_read_as_dictionaries_where_that_is_asked_for(file: Path) -> None:
    plain, coded = (list(read_batches(file, words)) for words in ([], ["word"]))
    assert [batch["word"].to_pylist() for batch in coded] == [batch["word"].to_pylist() for batch in plain]
    assert all(pa.types.is_dictionary(batch["word"].type) for batch in coded)


def test_rows_are_taken_by_number_in_the_order_asked_for(file: Path) -> None:
    taken = take_rows(file, np.array([93, 0, 50, 0, 6, 7]))
    assert taken["id"].to_pylist() == [93, 0, 50, 0, 6, 7]
    assert take_rows(file, np.array([8]), ["word"]).to_pylist() == [{"word": "w8"}]
    assert take_rows(file, np.array([], np.int64)).num_rows == 0


def test_a_sample_is_ascending_without_twins_and_the_same_for_the_same_seed() -> None:
    drawn = sample_ids(10_000, 500, seed=3)
    assert drawn is not None
    assert len(np.unique(drawn)) == 500
    assert (np.diff(drawn) > 0).all()
    assert (drawn[0] >= 0, drawn[-1] < 10_000) == (True, True)
    np.testing.assert_array_equal(drawn, sample_ids(10_000, 500, seed=3))
    assert abs(drawn.mean() - 5000) < 500
    assert sample_ids(500, 500, seed=3) is None


def test_a_sample_of_many_rows_is_as_large_as_asked_for_and_as_dense_everywhere() -> None:
    rows, most = 3 * BATCH_ROWS + 1, 50_000
    drawn = sample_ids(rows, most, seed=[3, 4])
    assert drawn is not None
    assert len(np.unique(drawn)) == most
    assert (np.diff(drawn) > 0).all()
    assert drawn[-1] < rows
    parts = np.bincount(drawn * 40 // rows, minlength=40)
    assert abs(parts - most / 40).max() < 5 * np.sqrt(most / 40)


def test_wide_parts_are_judged_by_fewer_rows() -> None:
    assert [most_judged(columns) for columns in (1, 50, 100, 10_000)] == [500_000, 500_000, 250_000, 50_000]
