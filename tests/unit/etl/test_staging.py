"""Staging: what the journal vouches for is kept, everything else is thrown away."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.etl.staging import FLUSH_ROWS, STALE_S, Staging, locked, remove
from store.errors import Conflict
from tests.examples import examples


def batch(*ids: Any) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict({"id": list(ids)})


def staged(folder: Path, identity: str = "a", seconds: list[float] | None = None) -> Staging:
    """`seconds`: what the clock shows; it stands still without."""
    return Staging(folder, identity, "1.1", lambda: seconds[0] if seconds else 0.0)


def ids(staging: Staging) -> list[int]:
    return [value for part in staging.parts for value in pq.read_table(part)["id"].to_pylist()]


def test_rows_are_there_again_after_they_were_flushed(tmp_path: Path) -> None:
    staging = staged(tmp_path / "s")
    staging.add(batch(1, 2), resume={"page": 1}, edge={"cursor": "x"})
    staging.flush()
    again = staged(tmp_path / "s")
    assert ids(again) == [1, 2]
    assert (again.progress.rows, again.progress.pages) == (2, 1)
    assert (again.progress.resume, again.progress.edge) == ({"page": 1}, {"cursor": "x"})


def test_rows_behind_the_last_place_to_go_on_from_are_thrown_away(tmp_path: Path) -> None:
    staging = staged(tmp_path / "s")
    staging.add(batch(1), resume={"file": 1}, edge=None)
    staging.flush()
    staging.add(batch(2), resume=None, edge=None)
    staging.flush()
    again = staged(tmp_path / "s")
    assert (ids(again), again.progress.rows) == ([1], 1)
    assert len(list((tmp_path / "s").glob("part-*"))) == 1
    again.add(batch(2, 3), resume={"file": 2}, edge=None)
    again.complete()
    assert ids(staged(tmp_path / "s")) == [1, 2, 3]


def test_a_read_that_stood_still_for_days_begins_anew_and_a_complete_one_is_kept(tmp_path: Path) -> None:
    """Pages of last week and of today would make one version, of a table that never was so."""
    now = time.time()
    half, whole = staged(tmp_path / "half"), staged(tmp_path / "whole")
    for staging in (half, whole):
        staging.add(batch(1), resume={"page": 1}, edge=None)
    half.flush()
    whole.complete()
    assert ids(staged(tmp_path / "half", seconds=[now])) == [1]
    later = staged(tmp_path / "half", seconds=[now + 2 * STALE_S])
    assert (ids(later), later.progress.resume) == ([], None)
    assert ids(staged(tmp_path / "whole", seconds=[now + 2 * STALE_S])) == [1]


def test_a_complete_read_needs_no_place_to_go_on_from(tmp_path: Path) -> None:
    staging = staged(tmp_path / "s")
    staging.add(batch(1), resume=None, edge=None)
    staging.complete()
    again = staged(tmp_path / "s")
    assert again.progress.complete
    assert ids(again) == [1]


def test_another_identity_starts_empty(tmp_path: Path) -> None:
    staging = staged(tmp_path / "s")
    staging.add(batch(1), resume={}, edge=None)
    staging.flush()
    assert ids(staged(tmp_path / "s", "b")) == []
    assert ids(staged(tmp_path / "s", "a")) == []


def test_a_torn_last_line_of_the_journal_does_not_count(tmp_path: Path) -> None:
    staging = staged(tmp_path / "s")
    staging.add(batch(1), resume={"page": 1}, edge=None)
    staging.flush()
    with (tmp_path / "s" / "journal.jsonl").open("ab") as file:
        file.write(b'{"parts": ["part-000002.parq')
    again = staged(tmp_path / "s")
    again.add(batch(2), resume={"page": 2}, edge=None)
    again.flush()
    assert ids(staged(tmp_path / "s")) == [1, 2]


def test_rows_go_to_disk_every_second_or_when_they_are_many(tmp_path: Path) -> None:
    seconds = [0.0]
    staging = staged(tmp_path / "s", seconds=seconds)
    staging.add(batch(1), resume={"page": 1}, edge=None)
    assert staging.parts == []
    seconds[0] = 1.0
    staging.add(batch(2), resume={"page": 2}, edge=None)
    assert ids(staging) == [1, 2]
    staging.add(batch(*range(FLUSH_ROWS)), resume=None, edge=None)
    assert len(staging.parts) == 2


def test_batches_of_different_types_stay_apart_and_empty_columns_join(tmp_path: Path) -> None:
    staging = staged(tmp_path / "s")
    for rows in (batch(None), batch(1), batch(None), batch("x")):
        staging.add(rows, resume={}, edge=None)
    staging.flush()
    assert [str(pq.read_schema(part).field("id").type) for part in staging.parts] == ["int64", "string"]
    assert ids(staging) == [None, 1, None, "x"]


def test_the_digest_is_of_the_rows_not_of_when_they_were_flushed(tmp_path: Path) -> None:
    digests = set()
    for name, flush in (("a", True), ("b", False)):
        staging = staged(tmp_path / name)
        for rows in (batch(1, 2), batch(3)):
            staging.add(rows, resume={}, edge=None)
            if flush:
                staging.flush()
        digests.add(staging.seen.digest)
    staging = staged(tmp_path / "c")
    staging.add(batch(1, 2), resume={}, edge=None)
    staging.add(batch(4), resume={}, edge=None)
    assert len(digests) == 1
    assert staging.seen.digest not in digests


@settings(max_examples=examples(30))
@given(st.lists(st.tuples(st.integers(0, 3), st.booleans(), st.booleans()), max_size=12))
def test_whenever_it_dies_the_rows_up_to_the_place_to_go_on_from_are_there(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, bool, bool]]
) -> None:
    """Each step adds rows, perhaps with a place to go on from, perhaps flushed; then the process is gone."""
    folder = tmp_path_factory.mktemp("s") / "s"
    staging = staged(folder)
    given_out = safe = 0
    for count, resumable, flushed in steps:
        staging.add(
            batch(*range(given_out, given_out + count)) if count else batch(),
            resume={"at": given_out + count} if resumable else None,
            edge=None,
        )
        given_out += count
        if flushed:
            staging.flush()
            safe = given_out if resumable else safe
    again = staged(folder)
    assert ids(again) == list(range(safe))
    assert (again.progress.resume or {"at": 0})["at"] == safe
    assert again.progress.rows == safe


def test_only_one_process_has_the_folder(tmp_path: Path) -> None:
    with locked(tmp_path / "s"), pytest.raises(Conflict), locked(tmp_path / "s"):
        pass
    with locked(tmp_path / "s"):
        pass


def test_removing_takes_the_header_first(tmp_path: Path) -> None:
    staging = staged(tmp_path / "s")
    assert json.loads((tmp_path / "s" / "header.json").read_text())["identity"] == "a"
    remove(staging.folder)
    assert not (tmp_path / "s").exists()
    remove(staging.folder)
