"""Old rows go, small files become one, and the reader's place, what was dropped, and all newer rows stay."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from pipeline.labels.ingest import SCHEMA
from pipeline.predictions import tidy as tidying
from pipeline.predictions.ingest import ingest
from pipeline.predictions.newest import newest
from pipeline.predictions.record import Dropped, Prediction, to_line
from pipeline.predictions.segments import Segment
from pipeline.predictions.take import put_in_order
from pipeline.predictions.tidy import READERS_S, tidy
from store import lake
from store.errors import StorageError
from store.home import Home

NOW = datetime.now(UTC)
DAY = timedelta(days=1)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture
def segment(home: Home) -> Segment:
    return Segment(home.serving.predictions("late"), "w.1")


def read(home: Home, segment: Segment, numbers: range, age: timedelta) -> None:
    """Lines of so old requests, taken into the lake by a commit of their own."""
    at = int((NOW - age).timestamp() * 1e6)
    lines = [
        Prediction(f"r-{n}", at + n, "late", 2, "no unit", None, 1, 250, 200, {"x": [n]}, {"score": [0.5]})
        for n in numbers
    ]
    segment.append(b"".join(map(to_line, lines)))
    assert ingest(home.serving.predictions("late"), home.predictions("late")).rows == len(numbers)


def kept(home: Home) -> list[str]:
    items = newest(home.predictions("late"), 10_000)["items"]
    return sorted(one["request"] for one in items)


def files(home: Home) -> int:
    return len(list(home.predictions("late").glob("*.parquet")))


def test_rows_older_than_they_are_kept_go_and_no_line_is_read_twice_or_lost_after_that(
    home: Home, segment: Segment
) -> None:
    segment.append(to_line(Dropped(7, 0)))
    read(home, segment, range(0, 10), 100 * DAY)
    read(home, segment, range(10, 20), 91 * DAY)
    read(home, segment, range(20, 30), 89 * DAY)
    table = home.predictions("late")
    before = lake.latest(table)
    assert tidy(table, "at", 90 * DAY, NOW).forgotten == 20
    after = lake.latest(table)
    assert before is not None
    assert after is not None
    assert (after.rows, after.metadata) == (10, before.metadata)
    assert tidy(table, "at", 90 * DAY, NOW).forgotten == 0
    assert ingest(home.serving.predictions("late"), table).version is None, "what is gone is not read again"
    read(home, segment, range(30, 35), DAY)
    assert kept(home) == sorted(f"r-{n}" for n in range(20, 35))
    assert newest(table, 1)["dropped"] == 7


def test_rows_stay_for_ever_where_nobody_says_how_long(home: Home, segment: Segment) -> None:
    read(home, segment, range(5), 10_000 * DAY)
    assert put_in_order(home, keep=None, now=NOW)["predictions"]["late"]["forgotten"] == 0
    assert len(kept(home)) == 5


@pytest.mark.slow
def test_many_small_files_become_one_with_the_same_rows_and_take_less_room(home: Home, segment: Segment) -> None:
    table = home.predictions("late")
    for part in range(tidying.MANY - 1):
        read(home, segment, range(100 * part, 100 * part + 100), DAY)
    assert tidy(table, "at", None, NOW).joined == 0, "a few small files cost nothing"
    read(home, segment, range(9000, 9100), DAY)
    before, rows = lake.latest(table), kept(home)
    assert before is not None
    assert tidy(table, "at", None, NOW).joined == tidying.MANY
    after = lake.latest(table)
    assert after is not None
    assert (after.rows, after.metadata, kept(home)) == (before.rows, before.metadata, rows)
    assert after.bytes < before.bytes / 2
    read(home, segment, range(9100, 9105), DAY)
    assert len(kept(home)) == len(rows) + 5


def test_files_that_were_replaced_stay_until_nobody_reads_them_and_an_orphan_goes_too(
    home: Home, segment: Segment
) -> None:
    table = home.predictions("late")
    read(home, segment, range(10), 100 * DAY)
    read(home, segment, range(10, 20), DAY)
    (table / "part-of-a-writer-that-died.parquet").write_bytes(b"half")
    assert tidy(table, "at", 90 * DAY, NOW).removed == 0
    assert files(home) == 3
    later = datetime.now(UTC) + timedelta(seconds=READERS_S + 1)
    assert tidy(table, "at", 90 * DAY, later).removed == 2
    assert (files(home), len(kept(home))) == (1, 10)


def test_a_table_that_cannot_be_put_in_order_says_so_and_the_others_are(home: Home, segment: Segment) -> None:
    read(home, segment, range(5), 100 * DAY)
    broken = home.predictions("rain")
    (broken / "_delta_log").mkdir(parents=True)
    (broken / "_delta_log" / "00000000000000000000.json").write_text("no log")
    done = put_in_order(home, keep=90 * DAY, now=NOW)["predictions"]
    assert done["late"]["forgotten"] == 5
    assert "old rows could not be put in order" in done["rain"]["fault"]
    with pytest.raises(StorageError):
        tidy(broken, "at", 90 * DAY, NOW)


def test_labels_go_by_their_arrival(home: Home) -> None:
    rows = [
        {
            "key": f"k{age}", "name": "late", "request": f"r{age}", "value": "true", "arrived": NOW - age * DAY,
            "restates": False, "post": "p", "segment": "w.1", "offset": age,
        }
        for age in (1, 89, 91)
    ]  # fmt: skip
    table = home.labels("late")
    lake.commit(table, pa.Table.from_pylist(rows, SCHEMA).to_reader(), mode="append", metadata={}, expected=None)
    assert put_in_order(home, keep=90 * DAY, now=NOW)["labels"] == {"late": {"forgotten": 1, "joined": 0, "removed": 0}}
