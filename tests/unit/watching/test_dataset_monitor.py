"""A dataset that is watched: windows close when they are full, are told once, and told anew when their rows change."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipeline.process.context import Preempted
from store.errors import SchemaChanged
from store.times import from_us, to_us
from tests.unit.watching.monitored import HOUR, START, Monitored, flights

HOURLY: dict[str, Any] = {"dataset": "flights", "time": "at", "window": "1h", "trailing": 3, "least_rows": 300}


@pytest.fixture
def hourly(tmp_path: Path) -> Monitored:
    return Monitored(tmp_path, dict(HOURLY))


def fill(one: Monitored, hours: int, *, begin: int = 0, shift: float = 0.0) -> None:
    for hour in range(begin, begin + hours):
        one.put(flights(START + hour * HOUR, 600, seed=hour, shift=shift))
    one.now = START + (begin + hours) * HOUR


def starts(windows: list[dict[str, Any]]) -> list[int]:
    return [int((from_us(one["start_us"]) - START) / HOUR) for one in windows]


def test_a_window_is_closed_when_its_time_has_passed_and_a_later_row_is_there(hourly: Monitored) -> None:
    fill(hourly, 3)
    assert starts(hourly.run().windows) == [0, 1]
    hourly.now = START + 10 * HOUR
    assert hourly.run().skipped == "no window of flights has closed or changed since the last look; 2 are known"
    hourly.put(flights(START + 3 * HOUR, 10))
    assert starts(hourly.run().windows) == [2]


@pytest.mark.slow
def test_steady_hours_are_steady_and_a_shift_in_two_of_three_windows_has_drifted(hourly: Monitored) -> None:
    fill(hourly, 6)
    first = hourly.run()
    assert (first.report["state"], first.report["reason"]) == ("steady", "none of 2 columns has drifted")
    fill(hourly, 2, begin=6, shift=80.0)
    assert hourly.run().report["state"] == "steady"  # one window of them is full
    fill(hourly, 2, begin=8, shift=80.0)
    told = hourly.run()
    assert told.report["state"] == "drifted"
    assert told.report["reason"] == "1 of 2 columns have drifted: distance"
    assert told.column("carrier")["state"] == "steady"
    assert told.report["assessed"] == [[0, one["start_us"]] for one in told.windows]


def test_the_first_windows_have_no_reference_and_are_told_without_measures(hourly: Monitored) -> None:
    fill(hourly, 3)
    told = hourly.run()
    assert [bool(one["measures"]) for one in told.windows] == [False, True]
    assert set(told.windows[1]["limits"]["distance"]) == {"psi", "ks", "wasserstein", "missing"}
    assert set(told.windows[1]["limits"]["carrier"]) == {"psi", "missing", "new"}


def test_unchanged_rows_are_skipped_and_force_tells_them_again_the_same(hourly: Monitored) -> None:
    fill(hourly, 5)
    first = hourly.run()
    assert hourly.run().skipped is not None
    again = hourly.run(force=True)
    assert again.windows == first.windows
    assert again.report["body"] == first.report["body"]


def test_profiles_that_are_lost_are_made_from_the_rows_again_the_same(hourly: Monitored) -> None:
    fill(hourly, 4)
    hourly.run()
    files = {file: file.read_bytes() for file in hourly.home.profiles.rglob("*.gz")}
    assert len(files) == 3
    damaged, lost, _ = files
    damaged.write_bytes(b"half a pro")
    lost.unlink()
    hourly.run(force=True)
    assert {file: file.read_bytes() for file in hourly.home.profiles.rglob("*.gz")} == files


def test_only_windows_whose_rows_have_changed_are_told_again(hourly: Monitored) -> None:
    fill(hourly, 5)
    hourly.run()
    hourly.put(flights(START + 2 * HOUR, 50, seed=99))
    told = hourly.run()
    assert [(hour, one["rows"]) for hour, one in zip(starts(told.windows), told.windows, strict=True)] == [(2, 650)]
    assert told.report["state"] == "steady"


def test_windows_that_are_older_than_all_that_the_record_tells_are_not_told_at_each_look(hourly: Monitored) -> None:
    """It tells the newest 400 of a monitor: of two versions, or of hours where days are told now, there are more, and
    all that it did not tell were told again by each look."""
    fill(hourly, 5)
    hourly.run()
    told = dict(hourly.windows)
    later = to_us(START + 5 * HOUR)
    others = {
        (9, later + n): {"version": 9, "start_us": later + n, "end_us": later + n + 1, "token": "t"} for n in range(400)
    }
    hourly.windows = others
    fill(hourly, 1, begin=5)
    assert starts(hourly.run().windows) == []
    hourly.windows = dict(list(others.items())[1:])
    assert starts(hourly.run(force=True).windows) == [0, 1, 2, 3, 4]
    hourly.windows = {**told, **others}
    hourly.put(flights(START + 2 * HOUR, 50, seed=99))
    assert starts(hourly.run().windows) == [2, 4]


@pytest.mark.slow
def test_hours_are_put_together_to_days_and_are_then_not_kept(tmp_path: Path) -> None:
    daily = Monitored(tmp_path, {**HOURLY, "window": "1d", "least_rows": 500})
    fill(daily, 30)
    told = daily.run()
    assert starts(told.windows) == [0]
    assert told.windows[0]["rows"] == 24 * 600
    names = sorted(file.name for file in daily.home.profiles.rglob("*.gz"))
    spans = [[int(part) for part in name.partition(".")[0].split("-")[1:]] for name in names]
    hours = [(end - start) / 3.6e9 for start, end in spans]
    assert sorted(hours) == [1.0] * 5 + [24.0]  # of the second day five hours are full


def test_windows_of_rows_are_full_when_so_many_have_come(tmp_path: Path) -> None:
    counted = Monitored(tmp_path, {**HOURLY, "window": "1000 rows"})
    fill(counted, 6)
    told = counted.run()
    assert [one["rows"] for one in told.windows] == [1000, 1000, 1000]
    assert all(a["end_us"] == b["start_us"] for a, b in zip(told.windows, told.windows[1:], strict=False))
    fill(counted, 1, begin=6)
    more = counted.run()
    assert [one["rows"] for one in more.windows] == [1000]
    assert more.windows[0]["start_us"] == told.windows[-1]["end_us"]


@pytest.mark.slow
def test_a_window_is_held_against_the_same_one_of_the_last_cycle(tmp_path: Path) -> None:
    section = {**HOURLY, "window": "1h", "reference": "last cycle", "cycle": "6h"}
    cycled = Monitored(tmp_path, section)
    for hour in range(14):
        # By the hour of the day they differ; by the cycle they do not.
        cycled.put(flights(START + hour * HOUR, 600, seed=hour, shift=100.0 * (hour % 6)))
    cycled.now = START + 14 * HOUR
    told = cycled.run()
    assert [bool(one["measures"]) for one in told.windows] == [False] * 6 + [True] * 7
    assert told.report["state"] == "steady"
    trailing = Monitored(tmp_path, {**section, "reference": "trailing"}, now=cycled.now, runs=1)
    assert trailing.run().report["state"] == "drifted"


def test_a_column_that_is_gone_counts_as_missing_and_is_named(hourly: Monitored) -> None:
    fill(hourly, 5)
    hourly.run()
    for hour in range(5, 9):
        hourly.put(flights(START + hour * HOUR, 600, seed=hour))
    rows = pa.concat_tables([flights(START + hour * HOUR, 600, seed=hour) for hour in range(9)])
    hourly.put(rows.drop_columns(["carrier"]), "replace")
    hourly.now = START + 9 * HOUR
    told = hourly.run()
    note = "column carrier is gone from flights: no row of the newest window names it, so all count as missing"
    assert told.report["body"]["notes"] == [note]
    assert told.windows[-1]["measures"]["carrier"]["missing_share"] == 1.0


@pytest.mark.parametrize(
    ("values", "missing"),
    [
        (pa.array(["far", "500", "-2.5e2"]), 1 / 3),
        (pa.array([[1.0], [2.0], None]), 1.0),
        (pa.array([START] * 3, pa.timestamp("us", "UTC")), 1.0),
        (pa.array([b"\xff"] * 3), 1.0),
    ],
    ids=["text", "list", "time", "bytes"],
)
def test_a_column_that_is_of_another_kind_now_is_told_and_ends_no_look(
    hourly: Monitored, values: pa.Array, missing: float
) -> None:
    """Each look at it ended with Arrow's own words for a cast that it does not know, and nothing was watched."""
    fill(hourly, 5)
    hourly.run()
    rows = pa.concat_tables([flights(START + hour * HOUR, 600, seed=hour) for hour in range(9)])
    column = pa.concat_arrays([values] * (rows.num_rows // 3))
    hourly.put(rows.set_column(rows.schema.get_field_index("distance"), "distance", column), "replace")
    hourly.now = START + 9 * HOUR
    told = hourly.run()
    assert told.report["state"] == "steady"  # its windows before are made anew, too
    (note,) = told.report["body"]["notes"]
    assert note.startswith(f"column distance is of {str(values.type).partition('<')[0]}")
    assert note.endswith("now, and was of numbers: what cannot be read as such counts as missing")
    assert told.column("distance")["missing"] == pytest.approx(missing)


def test_a_column_without_any_value_is_told_by_what_is_missing(hourly: Monitored) -> None:
    fill(hourly, 5)
    for hour in range(5, 9):
        rows = flights(START + hour * HOUR, 600, seed=hour)
        empty = pa.nulls(rows.num_rows, pa.float64())
        hourly.put(rows.set_column(rows.schema.get_field_index("distance"), "distance", empty))
    hourly.now = START + 9 * HOUR
    told = hourly.run()
    assert told.report["state"] == "drifted"
    assert "100.0% have no value and" in told.column("distance")["reason"]
    assert told.report["body"]["notes"] == []


def test_times_of_another_zone_and_without_one_close_the_same_windows(tmp_path: Path) -> None:
    rows = flights(START, 4 * 600, per=4 * HOUR)
    told = {}
    for name, kind in {"utc": None, "kolkata": "Asia/Kolkata", "naive": None}.items():
        one = Monitored(tmp_path / name, dict(HOURLY), now=START + 5 * HOUR)
        at = rows.column("at")
        if kind is not None:
            at = at.cast(pa.timestamp("ms", kind), safe=False)
        if name == "naive":
            at = at.cast(pa.timestamp("us"))
        one.put(rows.set_column(0, "at", at))
        told[name] = [(w["start_us"], w["rows"]) for w in one.run().windows]
    assert told["utc"] == told["kolkata"] == told["naive"]
    assert [one[1] for one in told["utc"]] == [600, 600, 600]


def test_days_as_times_lie_in_the_windows_of_their_midnights(tmp_path: Path) -> None:
    one = Monitored(tmp_path, {**HOURLY, "window": "1d"}, now=START + timedelta(days=9))
    rows = flights(START, 4 * 600, per=timedelta(days=4))
    one.put(rows.set_column(0, "at", rows.column("at").cast(pa.date32(), safe=False)))
    assert [w["rows"] for w in one.run().windows] == [600, 600, 600]


def test_no_rows_and_no_dataset_are_said_and_are_no_failure(hourly: Monitored) -> None:
    assert hourly.run().skipped == "flights has no version yet, so there is nothing to watch"
    hourly.put(flights(START, 0))
    report = hourly.run().report
    assert (report["state"], report["rows"]) == ("not yet", 0)
    assert hourly.run().skipped is not None


def test_a_time_that_is_missing_or_no_time_is_refused_with_what_to_do(hourly: Monitored, tmp_path: Path) -> None:
    fill(hourly, 2)
    hourly.monitor["time"] = "att"
    with pytest.raises(SchemaChanged, match="no column 'att', did you mean 'at'"):
        hourly.run()
    hourly.monitor["time"] = "distance"
    with pytest.raises(SchemaChanged, match="is no time but double"):
        hourly.run()


def test_asked_to_stop_it_stops_between_two_windows_and_what_was_made_stays(hourly: Monitored) -> None:
    fill(hourly, 4)
    with pytest.raises(Preempted):
        hourly.run(stop=True)
    assert starts(hourly.run().windows) == [0, 1, 2]


def test_columns_are_chosen_and_left_out_and_names_that_nobody_has_are_told(hourly: Monitored) -> None:
    hourly.monitor |= {"columns": ["distance", "distence"], "leave_out": []}
    fill(hourly, 6)
    told = hourly.run()
    assert [one["name"] for one in told.report["body"]["columns"]] == ["distance"]
    assert told.report["body"]["notes"] == ["there is no column 'distence' to watch"]
    assert to_us(START) == told.windows[0]["start_us"]
    assert told.report["covered"] == {"drift": ["distance", "carrier", "rows"]}, "what is not watched any more is over"
