"""What no single column shows: rows of a dataset told apart by a classifier, and columns of vectors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline.config.watched import monitors_of
from pipeline.process.context import Preempted
from pipeline.training.overrides import with_overrides
from pipeline.watching import rowreplay
from pipeline.watching.backtest import backtest
from pipeline.watching.shape import shape
from store.errors import NotFound
from tests.unit.watching.monitored import HOUR, START, Monitored, flights

HOURLY: dict[str, Any] = {"dataset": "flights", "time": "at", "window": "1h", "trailing": 3, "least_rows": 300}
LENGTH = 8


@pytest.fixture
def hourly(tmp_path: Path) -> Monitored:
    return Monitored(tmp_path, dict(HOURLY))


def hour_of(hour: int, *, together: bool = True, shift: float = 0.0, numbers: int = LENGTH) -> pa.Table:
    """Flights whose distance goes with their fuel, or does not; and texts as vectors."""
    rows = flights(START + hour * HOUR, 600, seed=hour)
    rng = np.random.default_rng(1000 + hour)
    distance = rows.column("distance").to_numpy()
    fuel = distance + rng.normal(0, 20, len(distance))
    texts = rng.normal(shift, 1, (len(distance), numbers)).astype(np.float32)
    return rows.append_column("fuel", pa.array(fuel if together else rng.permutation(fuel))).append_column(
        "text", pa.array(texts.tolist(), pa.list_(pa.float32()))
    )


def fill(one: Monitored, hours: int, *, begin: int = 0, **other: Any) -> None:
    for hour in range(begin, begin + hours):
        one.put(hour_of(hour, **other))
    one.now = START + (begin + hours) * HOUR


def verdict(told: Any, subject: str) -> dict[str, Any]:
    return next(one for one in told.report["body"]["assessed"] if one["subject"] == subject)


@pytest.mark.slow
def test_vectors_that_move_have_drifted_like_any_column(hourly: Monitored) -> None:
    fill(hourly, 5)
    calm = hourly.run()
    assert calm.column("text")["state"] == "steady"
    assert calm.report["reason"] == "none of 4 columns has drifted"
    assert "text" in calm.report["covered"]["drift"]
    assert set(calm.windows[1]["measures"]["text"]) == {"mmd"}
    assert calm.windows[1]["limits"]["text"]["mmd"] >= 0.1
    fill(hourly, 3, begin=5, shift=0.5)
    told = hourly.run()
    assert told.report["state"] == "drifted"
    assert told.report["reason"] == "1 of 4 columns have drifted: text"
    (found,) = told.report["findings"]
    assert (found["kind"], found["subject"], found["title"]) == ("drift", "text", "text has drifted")
    assert "maximum mean discrepancy" in found["reason"]
    assert "2 of 3 windows reach it" in found["reason"]


@pytest.mark.slow
def test_a_column_of_vectors_has_no_distribution_and_says_so(hourly: Monitored) -> None:
    fill(hourly, 4)
    told, facts = hourly.run(), hourly.facts().monitor
    assert facts is not None
    section, start = hourly.project.monitors["watch"], told.windows[1]["start_us"]
    with pytest.raises(NotFound, match="text is of vectors: it has no distribution that could be drawn"):
        shape(hourly.home, "watch", section, facts, "text", version=0, start_us=start)


@pytest.mark.slow
def test_vectors_of_another_length_have_drifted(hourly: Monitored) -> None:
    fill(hourly, 5)
    fill(hourly, 3, begin=5, numbers=5)
    found = hourly.run().column("text")
    assert (found["state"], found["measures"]) == ("drifted", found["measures"])
    assert "its vectors have 5 numbers, and those of the reference 8" in found["reason"]


@pytest.mark.slow
def test_vectors_are_left_out_by_their_name_or_their_measure_and_are_over_then(hourly: Monitored) -> None:
    fill(hourly, 4)
    for change in ({"leave_out": ["text"]}, {"measures": ["psi"]}):
        hourly.monitor = {**HOURLY, **change}
        told = hourly.run()
        assert "text" not in [one["name"] for one in told.report["body"]["columns"]]
        assert "text" in told.report["covered"]["drift"]
    hourly.monitor = {**HOURLY, "columns": ["text"]}
    told = hourly.run()
    assert [one["name"] for one in told.report["body"]["columns"]] == ["text"]
    assert told.report["body"]["notes"] == []


@pytest.mark.slow
def test_a_table_of_nothing_but_vectors_and_times_is_watched(hourly: Monitored) -> None:
    for hour in range(5):
        hourly.put(hour_of(hour).select(["at", "text"]))
    hourly.now = START + 5 * HOUR
    told = hourly.run()
    assert [one["rows"] for one in told.windows] == [600] * 4
    assert (told.report["state"], told.report["reason"]) == ("steady", "none of 1 columns has drifted")


@pytest.mark.slow
def test_rows_are_told_apart_where_no_column_shows_it_and_only_if_that_is_wanted(hourly: Monitored) -> None:
    hourly.monitor |= {"measures": ["psi", "ks", "classifier"]}
    fill(hourly, 5)
    calm = hourly.run()
    assert verdict(calm, "rows")["answer"] == "clear"
    assert calm.report["state"] == "steady"
    fill(hourly, 3, begin=5, together=False)
    told = hourly.run()
    assert {one["state"] for one in told.report["body"]["columns"]} == {"steady"}
    (found,) = told.report["findings"]
    assert (found["kind"], found["subject"]) == ("drift", "rows")
    assert "a classifier tells 600 rows of the window from" in found["reason"]
    assert "so in 2 of 3 windows" in found["reason"]
    assert {name for name, _ in found["evidence"]["columns"][:2]} == {"distance", "fuel"}
    assert told.report["state"] == "drifted"
    assert told.report["reason"] == ("none of 3 columns has drifted; rows can be told from those of the reference")
    hourly.monitor["measures"] = ["psi"]
    calmed = hourly.run()
    assert calmed.report["findings"] == []
    assert "rows" in calmed.report["covered"]["drift"]


@pytest.mark.slow
def test_a_classifier_alone_decides_alone(hourly: Monitored) -> None:
    hourly.monitor |= {"measures": ["classifier"]}
    fill(hourly, 5)
    told = hourly.run()
    assert told.report["state"] == "steady"
    assert told.report["reason"] == ("rows are like those of the reference; no measure of single columns is wanted")


def test_without_a_reference_rows_are_not_told_apart_and_somebody_is_told_why(hourly: Monitored) -> None:
    hourly.monitor |= {"measures": ["psi", "classifier"], "reference": "last cycle", "cycle": "24h"}
    fill(hourly, 3)
    told = hourly.run()
    assert told.report["body"]["notes"] == [
        "rows are not told apart: there is no window to hold it against: its reference is last cycle"
    ]
    assert told.report["state"] == "not yet"


@pytest.mark.slow
def test_told_again_it_is_the_same_and_a_stop_between_windows_is_obeyed(hourly: Monitored) -> None:
    hourly.monitor |= {"measures": ["mmd", "classifier"]}
    fill(hourly, 4)
    first = hourly.run()
    for file in hourly.home.profiles.rglob("*.told.json"):
        file.unlink()
    with pytest.raises(Preempted):
        hourly.run(force=True, stop=True)
    again = hourly.run(force=True)
    assert again.windows == first.windows
    assert again.report["body"] == first.report["body"]
    assert hourly.run().skipped is not None


def replayed(one: Monitored, **other: Any) -> dict[str, Any]:
    """A backtest, with other settings than the project's."""
    facts, before = one.facts().monitor, monitors_of(one.project)["watch"]
    assert facts is not None
    return backtest(one.home, "watch", with_overrides(before, other), facts, 0, before)


def test_a_backtest_replays_vectors_by_what_was_measured_then_though_their_rows_are_gone(hourly: Monitored) -> None:
    fill(hourly, 5)
    fill(hourly, 4, begin=5, shift=0.5)
    hourly.run()
    found = replayed(hourly)
    assert [one["columns"] for one in found["alarms"]] == [["text"]]
    assert "maximum mean discrepancy" in found["alarms"][0]["reason"]
    hourly.put(hour_of(0), mode="replace")
    assert replayed(hourly) == found, "figures are kept beside profiles, and nothing is read"
    wide = replayed(hourly, **{"limits.mmd": 1.2})
    assert (wide["alarms"], wide["notes"]) == ([], [])
    assert replayed(hourly, measures=["psi"])["alarms"] == []


@pytest.mark.slow
def test_a_backtest_tells_rows_apart_that_nobody_had_asked_about_while_they_are_there(hourly: Monitored) -> None:
    hourly.monitor |= {"measures": ["psi"]}
    fill(hourly, 5)
    fill(hourly, 3, begin=5, together=False)
    hourly.run()
    assert (replayed(hourly)["alarms"], replayed(hourly)["notes"]) == ([], [])
    wanted = {"measures": ["psi", "classifier"]}
    found = replayed(hourly, **wanted)
    assert [one["columns"] for one in found["alarms"]] == [["rows"]]
    assert "a classifier tells 600 rows of the window" in found["alarms"][0]["reason"]
    assert found["notes"] == [
        "rows are not told apart: there is no window to hold it against: its reference is trailing"
    ]
    assert replayed(hourly, **wanted, **{"limits.classifier": 0.99})["alarms"] == []
    hourly.put(hour_of(0), mode="replace")
    gone = replayed(hourly, **wanted)
    assert gone["alarms"] == []
    (note,) = gone["notes"]
    assert note == (
        "in 7 windows rows are not told apart and vectors not compared: they were not measured like this when it "
        "looked, and their rows are gone by now, or others"
    )


def test_a_backtest_reads_the_rows_of_so_many_windows_and_says_of_how_many_it_did_not(
    hourly: Monitored, monkeypatch: pytest.MonkeyPatch
) -> None:
    hourly.monitor |= {"measures": ["psi"]}
    fill(hourly, 8, shift=0.0)
    hourly.run()
    monkeypatch.setattr(rowreplay, "MOST_ANEW", 3)
    (note,) = replayed(hourly, measures=["psi", "mmd"])["notes"]
    assert note.startswith("in 4 older windows rows are not told apart")
    assert note.endswith("the rows of 3 are read at most")
