"""How old what a dataset knows is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa

from pipeline.watching.freshness import freshness_assessed, freshness_of, newest_row
from store import lake
from store.lakefiles import live_files
from tests.unit.watching.log import plain

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_the_newest_row_is_read_from_the_lake(tmp_path: Path) -> None:
    kind = pa.timestamp("us", "UTC")
    for version, hours in enumerate((3, 1, 2)):
        expected = version - 1 if version else None
        rows = pa.table({"at": pa.array([NOW - hours * HOUR, None], kind), "x": [1, 2]})
        lake.commit(tmp_path / "t", rows.to_reader(), mode="append", metadata={}, expected=expected)
    assert newest_row(live_files(tmp_path / "t"), "at", NOW) == NOW - HOUR
    empty = pa.table({"at": pa.array([], kind), "x": pa.array([], pa.int64())})
    lake.commit(tmp_path / "e", empty.to_reader(), mode="append", metadata={}, expected=None)
    assert newest_row(live_files(tmp_path / "e"), "at", NOW) is None
    assert newest_row([], "at", NOW) is None


def test_a_row_that_is_to_come_hides_none_that_is_stale(tmp_path: Path) -> None:
    ahead = datetime(2999, 1, 1, tzinfo=UTC)
    for word, kind in (("time", pa.timestamp("us", "UTC")), ("date", pa.date32())):
        for name, times, newest in (("both", [NOW - 50 * HOUR, ahead], NOW - 50 * HOUR), ("ahead", [ahead], ahead)):
            table = tmp_path / f"{name}-{word}"
            rows = pa.table({"at": pa.array([at if word == "time" else at.date() for at in times], kind)})
            lake.commit(table, rows.to_reader(), mode="append", metadata={}, expected=None)
            found = newest_row(live_files(table), "at", NOW)
            assert found is not None
            assert found.date() == newest.date()
    assert freshness_of(tmp_path / "both-time", "t", "at", NOW, HOUR).answer == "found"


def test_stale_rows_are_found_though_the_version_is_fresh() -> None:
    told = freshness_assessed("flights", NOW - 50 * HOUR, NOW - HOUR, NOW, 48 * HOUR)
    assert (told.kind, told.subject, told.answer) == ("freshness", "flights", "found")
    assert told.reason == "the newest row of flights is 2.08 d old where 2 d are allowed; its newest version is 1 h old"
    assert "trainshed run etl:flights" in told.suggestion
    assert plain(told.document())["evidence"]["age_s"] == 180_000.0
    assert freshness_assessed("flights", NOW - 48 * HOUR, NOW, NOW, 48 * HOUR).answer == "clear"


def test_without_times_the_version_counts_and_without_a_version_nothing_can_be_said() -> None:
    told = freshness_assessed("planes", None, NOW - 3 * HOUR, NOW, HOUR)
    assert (told.answer, told.reason) == ("found", "the newest version of planes is 3 h old where 1 h are allowed")
    assert freshness_assessed("planes", None, None, NOW, HOUR).answer == "not yet"


def test_rows_ahead_of_the_clock_are_fresh_and_said() -> None:
    told = freshness_assessed("flights", NOW + timedelta(minutes=5), None, NOW, HOUR)
    assert (told.answer, told.reason) == ("clear", "the newest row of flights is 5 min ahead of the clock")


def test_a_table_without_times_is_as_old_as_its_newest_version(tmp_path: Path) -> None:
    """It was told as one without a version, and so never as stale."""
    planes = tmp_path / "planes"
    assert freshness_of(planes, "planes", None, NOW, HOUR).answer == "not yet"
    assert freshness_of(planes, "planes", "at", NOW, HOUR).answer == "not yet"
    lake.commit(planes, pa.table({"seats": [1]}).to_reader(), mode="append", metadata={}, expected=None)
    made = lake.latest(planes)
    assert made is not None
    assert freshness_of(planes, "planes", None, made.at + HOUR / 2, HOUR).answer == "clear"
    told = freshness_of(planes, "planes", None, made.at + 2 * HOUR, HOUR)
    assert (told.answer, told.reason) == ("found", "the newest version of planes is 2 h old where 1 h are allowed")
