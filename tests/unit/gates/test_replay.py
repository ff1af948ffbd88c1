"""A candidate on the last logged requests: real versions, a real log, a real child process."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from daemon.replays import Pair, Replays
from pipeline.judging.replay import replay
from pipeline.predictions.record import Prediction, to_line
from pipeline.predictions.segments import Segment
from pipeline.predictions.take import take
from store.home import Home
from store.wire import ReplayView
from tests.unit.serving.bench import Bench
from tui.rows.replay import lines, title
from tui.text import plain

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(Home(tmp_path_factory.mktemp("home")))


@pytest.fixture(scope="module")
def versions(bench: Bench) -> tuple[str, str]:
    return bench.version(0.0), bench.version(0.75)


def log(home: Home, name: str, *inputs: dict[str, list[Any]] | None, model: str = "late") -> None:
    segment = Segment(home.serving.predictions(model), name)
    at = int(NOW.timestamp() * 1e6)
    for number, one in enumerate(inputs):
        line = Prediction(f"{name}-{number}", at + number, model, 1, "no unit", None, 1, 9, 200, one, None)
        segment.append(to_line(line))
    segment.close()
    take(home, keep=timedelta(0), disk=10**9, now=NOW)


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
    assert found["unseen"] == ["carrier: 40.00% of the rows have words it never saw: LH"]
    assert found["changed"] > 0
    assert found["mean"] > 0
    assert {flip["after"] for flip in found["flips"]} == {"true"}
    assert found["latency_ms"] > 0
    assert found["live_latency_ms"] > 0


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
    )
    text = plain(lines(view)).splitlines()
    assert text == [
        "4.00% of 8,500 rows get another answer than from v1: false → true 300, true → false 40",
        "scores move by +0.012, 90 % of them -0.05 to +0.11, at most 0.41",
        "most where carrier = AS: 31.0% of 420 rows, mean +0.08",
        "64 rows take 0.41 ms, 1.02 times as long as now",
        "! 3 of 8,412 requests it would refuse: 3 requests: column hour is not in them",
    ]
    assert title(view) == "on the last 8,412 logged requests"
