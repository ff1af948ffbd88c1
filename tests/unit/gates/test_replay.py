"""A candidate on the last logged requests: real versions, a real log, a real child process."""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from daemon.predictionlog import PredictionReader
from daemon.replays import Pair, Replays
from pipeline.config.serving import PredictionLogSection
from pipeline.judging.replay import replay
from pipeline.predictions.record import Prediction, to_line
from pipeline.predictions.segments import Segment
from pipeline.predictions.take import take
from pipeline.trainingset.files import MANIFEST, part_file
from pipeline.trainingset.split import PARTS
from store.engine import Record
from store.home import Home
from store.times import system_clock
from store.wire import ReplayStrange, ReplayView
from tests.unit.serving.bench import Bench
from tui.rows.replay import lines, title
from tui.text import plain

STRANGE: dict[str, Any] = {
    **{"kind": "numeric", "of": 8500, "missing": 0, "below": 0, "above": 0, "unseen": 0, "words": []},
    **{"low": 0.0, "high": 1.0, "least": -4.0, "most": 1.0},
}
NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(Home(tmp_path_factory.mktemp("home")))


@pytest.fixture(scope="module")
def versions(bench: Bench) -> tuple[str, str]:
    return bench.version(0.0), bench.version(0.75)


def log(home: Home, name: str, *inputs: dict[str, list[Any]] | None, model: str = "late") -> None:
    """Into the lake."""
    ask(home, name, *inputs, model=model)
    take(home, keep=timedelta(0), disk=10**9, now=NOW)


def ask(home: Home, name: str, *inputs: dict[str, list[Any]] | None, model: str) -> None:
    """What an endpoint writes down."""
    segment = Segment(home.serving.predictions(model), name)
    at = int(NOW.timestamp() * 1e6)
    for number, one in enumerate(inputs):
        line = Prediction(f"{name}-{number}", at + number, model, 1, "no unit", None, 1, 9, 200, one, None)
        segment.append(to_line(line))
    segment.close()


def rows(count: int, **other: Any) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {
        "distance": [400.0 + 7 * number for number in range(count)],
        "carrier": ["AA" if number % 3 else "UA" for number in range(count)],
        "hour": [number % 24 for number in range(count)],
    }
    return {**columns, **{name: [value] * count for name, value in other.items()}}


@pytest.mark.slow
def test_what_changes_what_it_never_saw_and_what_it_would_refuse(bench: Bench, versions: tuple[str, str]) -> None:
    incomplete = {name: values for name, values in rows(3).items() if name != "hour"}
    log(bench.home, "all.1", rows(60), rows(40, carrier="LH"), incomplete, rows(2, distance="far"), None, model="all")
    old, new = versions
    found = replay(bench.home, "all", new, old, 100)
    assert (found["requests"], found["refused"], found["rows"]) == (4, 2, 100)
    assert sorted(found["refusals"]) == [
        "1 requests: column 'distance' is of another kind",
        "1 requests: column hour is not in them",
    ]
    (carrier,) = found["strange"]
    assert (carrier["column"], carrier["unseen"], carrier["of"], carrier["words"]) == ("carrier", 40, 100, ("LH",))
    assert found["no_ranges"] == "it names no training set"
    assert found["changed"] > 0
    assert found["mean"] > 0
    assert {flip["after"] for flip in found["flips"]} == {"true"}
    assert found["latency_ms"] > 0
    assert found["live_latency_ms"] > 0


@pytest.mark.slow
def test_numbers_are_held_against_the_rows_that_trained_it(bench: Bench, versions: tuple[str, str]) -> None:
    folder = bench.home.training_sets / "t1"
    folder.mkdir(parents=True)
    trained = pa.table({"distance": [400.0, 500.0], "hour": [0, 23], "carrier": ["AA", "UA"]})
    pq.write_table(trained, part_file(folder, "train"))
    features = [{"name": "distance", "kind": "numeric"}]
    said = {
        "features": features,
        "key": [],
        "slices": [],
        "rows": dict.fromkeys(PARTS, 2),
        "task": "binary",
        "label": "late",
    }
    more: dict[str, Any] = {
        "time": None,
        "inputs": {},
        "query": "",
        "dropped_unlabelled": 0,
        "dropped_untimed": 0,
        "left_in_gap": 0,
    }
    (folder / MANIFEST).write_text(json.dumps(said | more))
    log(bench.home, "range.1", rows(60), model="range")
    found = replay(bench.home, "range", bench.version(0.1, training_set="t1"), versions[0], 100)
    assert found["no_ranges"] == ""
    (distance,) = found["strange"]
    assert (distance["column"], distance["below"], distance["above"], distance["of"]) == ("distance", 0, 45, 60)
    assert (distance["low"], distance["high"], distance["most"]) == (400.0, 500.0, 813.0)
    assert found["no_ranges"] == ""
    view = ReplayView(state="done", note="", against=1, **found)
    sentence = "! distance: 75.00% of the rows are outside the 400 to 500 that it learned from: 45 above, up to 813"
    assert sentence in plain(lines(view)).splitlines()
    gone = replay(bench.home, "range", bench.version(0.2, training_set="t2"), versions[0], 100)
    assert (gone["strange"], gone["no_ranges"]) == ([], "there is no training set t2")


@pytest.mark.slow
def test_a_plan_first_takes_what_was_logged_since_the_lake_was_written(
    bench: Bench, versions: tuple[str, str], tmp_path: Path
) -> None:
    record = Record.open(bench.home, system_clock)
    reader = PredictionReader(record, PredictionLogSection)
    reader.start()
    try:
        pair = Pair("newest", versions[1], versions[0], 100)
        replays = Replays(bench.home, behind=reader.behind, fresh=reader.fresh)
        assert replays.of(pair, 1, 120.0).state == "nothing"
        ask(bench.home, "newest.1", rows(30), model="newest")
        assert replays.of(pair, 1, 0.0).state == "under way"
        assert replays.of(pair, 1, 120.0).rows == 30
        ask(bench.home, "newest.2", rows(20), model="newest")
        again = replays.of(pair, 1, 120.0)
        assert (again.rows, again.note) == (50, "")
    finally:
        reader.stop()
        record.close()


@pytest.mark.slow
def test_the_newest_come_first_and_the_live_version_against_itself_moves_nothing(
    bench: Bench, versions: tuple[str, str]
) -> None:
    log(bench.home, "few.1", *(rows(2) for _ in range(10)), model="few")
    found = replay(bench.home, "few", versions[0], versions[0], 4)
    assert (found["requests"], found["rows"], found["changed"], found["largest"]) == (4, 8, 0, 0.0)
    assert replay(bench.home, "few", versions[0], None, 4)["rows"] == 8
    assert replay(bench.home, "nobody", versions[0], None, 4) == {"requests": 0}


def test_without_a_log_it_says_so_in_words(tmp_path: Path) -> None:
    found = Replays(Home(tmp_path)).of(Pair("late", "a" * 64, None, 100), None, 0.0)
    assert (found.state, found.against) == ("nothing", None)
    assert "no requests logged yet" in plain(lines(found))
    assert title(found) == "on logged requests"


@pytest.mark.slow
def test_it_runs_beside_is_kept_and_is_made_anew_once_the_log_has_grown(
    bench: Bench, versions: tuple[str, str]
) -> None:
    log(bench.home, "kept.1", rows(50), model="kept")
    replays, pair = Replays(bench.home, os.environ), Pair("kept", versions[1], versions[0], 100)
    first = replays.of(pair, 1, 0.0)
    assert first.state == "under way"
    assert "make the plan anew" in plain(lines(first))
    done = replays.of(pair, 1, 120.0)
    assert (done.state, done.requests, done.rows, done.note) == ("done", 1, 50, "")
    began = time.monotonic()
    assert Replays(bench.home).of(pair, 1, 120.0) == done  # also by the next daemon
    assert time.monotonic() - began < 1.0
    log(bench.home, "kept.2", rows(10), model="kept")
    assert replays.of(pair, 1, 0.0).note == "the log has grown since; the next plan has more"
    while replays.of(pair, 1, 0.0).requests == 1:
        time.sleep(0.05)
    assert replays.of(pair, 1, 0.0).rows == 60


@pytest.mark.slow
def test_a_version_that_is_damaged_says_so_and_is_not_tried_over_and_over(bench: Bench) -> None:
    log(bench.home, "broken.1", rows(5), model="broken")
    replays, pair = Replays(bench.home), Pair("broken", "0" * 64, None, 100)
    found = replays.of(pair, None, 120.0)
    assert found.state == "failed"
    assert "could not be replayed" in found.note
    began = time.monotonic()
    assert replays.of(pair, None, 120.0) == found
    assert time.monotonic() - began < 1.0


@pytest.mark.slow
def test_what_failed_by_the_moment_is_tried_again_in_a_while(bench: Bench, versions: tuple[str, str]) -> None:
    """A box that was too busy for it once: until the log had grown every plan said so, and nobody tried."""
    log(bench.home, "busy.1", rows(5), model="busy")
    now, pair = [0.0], Pair("busy", versions[1], versions[0], 100)
    # No program of ours can be started where PYTHONHOME is none.
    environ = {**os.environ, "PYTHONHOME": "/nowhere"}
    replays = Replays(bench.home, environ, monotonic=lambda: now[0])
    assert replays.of(pair, 1, 120.0).state == "failed"
    began = time.monotonic()
    assert replays.of(pair, 1, 120.0).state == "failed"
    assert time.monotonic() - began < 1.0, "not at once"
    replays._environ.pop("PYTHONHOME")
    assert replays.of(pair, 1, 120.0).state == "failed"
    now[0] = 61.0
    assert replays.of(pair, 1, 120.0).state == "done"


def test_its_lines_are_few_and_fit_a_terminal() -> None:
    view = ReplayView(
        state="done",
        note="",
        against=1,
        requests=8412,
        rows=8500,
        changed=340,
        flips=[{"before": "false", "after": "true", "rows": 300}, {"before": "true", "after": "false", "rows": 40}],
        mean=0.021,
        quantiles=[-0.05, 0.012, 0.11],
        largest=0.41,
        slices=[{"column": "carrier", "value": "AS", "rows": 420, "changed": 130, "mean": 0.08}],
        latency_ms=0.41,
        live_latency_ms=0.4,
        refused=3,
        refusals=["3 requests: column hour is not in them"],
        strange=[
            ReplayStrange(**{**STRANGE, "column": "hour", "rows": 8, "missing": 8}),
            ReplayStrange(**{**STRANGE, "column": "dest", "rows": 5, "unseen": 5, "words": ["MVY"]}),
            *(ReplayStrange(**{**STRANGE, "column": name, "rows": 2, "below": 2}) for name in "abcde"),
        ],
    )
    text = plain(lines(view)).splitlines()
    assert text == [
        "4.00% of 8,500 rows get another answer than from v1: false → true 300, true → false 40",
        "scores move by +0.012, 90 % of them -0.05 to +0.11, at most 0.41",
        "most where carrier = AS: 31.0% of 420 rows, mean +0.08",
        "64 rows take 0.41 ms, 1.02 times as long as now",
        "! 3 of 8,412 requests it would refuse: 3 requests: column hour is not in them",
        "! hour: 0.09% of the rows have no value, and none was missing in training",
        "! dest: 0.06% of the rows have words it never saw: MVY",
        *(
            f"! {name}: 0.02% of the rows are outside the 0 to 1 that it learned from: 2 below, down to -4"
            for name in "abc"
        ),
        "! 2 more columns have values that it did not learn from",
    ]
    assert title(view) == "on the last 8,412 logged requests"
