"""A served model that is watched: its log and the labels that come later, from hour to hour and version to version."""

from __future__ import annotations

import secrets
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pytest

from pipeline.labels.box import LabelBox
from pipeline.labels.record import read_label
from pipeline.predictions.record import Prediction, to_line
from pipeline.predictions.segments import Segment
from pipeline.predictions.tidy import tidy
from pipeline.process.spec import WatchedVersion
from pipeline.versions.bundle import LoadedBundle, load_bundle
from pipeline.watching.watermark import LATE_US, logged_until
from store.home import Home
from store.times import to_us
from tests.unit.serving.bench import SIGNATURE, Bench
from tests.unit.watching.monitored import HOUR, START, Monitored
from tests.unit.watching.test_heldout import training_set

pytestmark = pytest.mark.slow  # versions are made with JAX
PER: Final = 20
"""Rows of a request."""
HOURLY: Final[dict[str, Any]] = {"model": "late", "window": "1h", "least_rows": 300, "performance": {"drop": 0.1}}
MADE: Final = to_us(START - timedelta(days=30))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str, str]:
    """A home with two versions; (its folder, their digests, what they learned from)."""
    folder = tmp_path_factory.mktemp("made")
    home = Home(folder / ".trainshed")
    return folder, Bench(home).version(), Bench(home).version(0.1), training_set(home, 3000)


@pytest.fixture
def hourly(tmp_path: Path, made: tuple[Path, str, str, str]) -> Monitored:
    folder, first, _, learned_from = made
    shutil.copytree(folder / ".trainshed", tmp_path / ".trainshed")
    one = Monitored(tmp_path, dict(HOURLY))
    one.versions = [version(1, first, learned_from)]
    return one


def version(number: int, digest: str, learned_from: str, hours: int = 0, until: int | None = None) -> WatchedVersion:
    return WatchedVersion(
        version=number,
        digest=digest,
        training_set=learned_from,
        objective="auc",
        made_us=MADE,
        since_us=to_us(START + hours * HOUR),
        until_us=None if until is None else to_us(START + until * HOUR),
    )


_loaded: dict[str, LoadedBundle] = {}


def _served(digest: str, home: Home) -> LoadedBundle:
    """Loaded once, as an endpoint has it: to compile it anew for each hour takes longer than all else."""
    if digest not in _loaded:
        _loaded[digest] = load_bundle(home.bundle(digest))
    return _loaded[digest]


def ask(
    one: Monitored, hour: int, rows: int = 600, *, shift: float = 0.0, leave_out: str = "", **other: Any
) -> dict[str, Any]:
    """An hour of requests in the log; request → the scores that it heard."""
    rng = np.random.default_rng(hour)
    answered = other.pop("version", 1)
    digest = next(v.digest for v in one.versions if v.version == answered)
    columns = {
        "distance": rng.normal(500 + shift, 99, rows),
        "carrier": rng.choice(["AA", "UA", "QQ"], rows),
        "hour": rng.integers(0, 24, rows),
    }
    scores = _served(digest, one.home).predict(pa.table(columns))
    segment = Segment(one.home.serving.predictions("late"), secrets.token_hex(6))
    heard = {}
    for begin in range(0, rows, PER):
        asked = {k: np.asarray(v)[begin : begin + PER].tolist() for k, v in columns.items() if k != leave_out}
        said = {"score": scores[begin : begin + PER].tolist()}
        request = f"r-{hour}-{begin}"
        at = to_us(START + hour * HOUR) + begin * 5_000_000
        line = Prediction(request, at, "late", answered, "no unit", None, 1, 9000, 200, asked, said)
        segment.append(to_line(line._replace(**other)))
        heard[request] = scores[begin : begin + PER]
    segment.close()
    one.now = START + (hour + 1) * HOUR + timedelta(minutes=1)
    return heard


def label(one: Monitored, heard: dict[str, Any], wrong: float = 0.2, seed: int = 0) -> None:
    """What turned out: what was likelier, but for a share."""
    rng = np.random.default_rng(seed)
    said = []
    for request, scores in heard.items():
        truths = (np.asarray(scores) >= np.median(scores)) ^ (rng.random(len(scores)) < wrong)
        said.append({"request": request, "value": [bool(truth) for truth in truths]})
    box = LabelBox(one.home.serving, 10**9)
    box.put("late", [read_label(each, arrived_us=to_us(one.now)) for each in said])
    box.close()


def metric(window: dict[str, Any], name: str) -> float:
    found = {one["metric"]: one["value"] for one in window["performance"]["metrics"]}
    return float(found[name])


def test_hours_are_told_once_with_their_answers_labels_and_service(hourly: Monitored) -> None:
    for hour in range(3):
        label(hourly, ask(hourly, hour))
    told = hourly.run()
    assert [one["rows"] for one in told.windows] == [600, 600, 600]
    assert all(one["labelled"] == 600 for one in told.windows)
    assert all(0.6 < metric(one, "auc") < 0.95 for one in told.windows)
    assert {"$score", "distance", "carrier", "hour"} == set(told.windows[0]["measures"])
    assert told.windows[0]["service"] | {"per_second": 0} == {
        "requests": 30,
        "errors": 0.0,
        "p50_ms": 9.0,
        "p99_ms": 9.0,
        "per_second": 0,
    }
    assert told.column("distance")["state"] == "steady"
    assert told.column("late")["subject"] == "label"
    assert hourly.run().skipped == "no window of late 1 has closed or changed since the last look; 3 are known"


def test_labels_that_come_later_tell_their_windows_again_and_no_others(hourly: Monitored) -> None:
    heard = [ask(hourly, hour) for hour in range(3)]
    first = hourly.run()
    assert all(one["labelled"] == 0 and one["performance"] == {} for one in first.windows)
    assert {one["metric"] for one in first.windows[0]["estimate"]["metrics"]} >= {"auc", "log_loss"}
    label(hourly, heard[1], wrong=0.5)
    told = hourly.run()
    assert [(one["start_us"], one["labelled"]) for one in told.windows] == [(to_us(START + HOUR), 600)]
    assert told.windows[0]["measures"] == first.windows[1]["measures"]
    before = metric(told.windows[0], "auc")
    label(hourly, heard[1], wrong=0.05, seed=1)  # somebody corrects them
    again = hourly.run()
    assert len(again.windows) == 1
    assert metric(again.windows[0], "auc") > before + 0.2
    assert hourly.run().skipped is not None


def test_a_window_whose_rows_grow_old_and_go_stays_as_it_was_told(hourly: Monitored) -> None:
    """With `keep_rows` it was told again by each look, with fewer rows and other figures, until it had none."""
    hourly.log = {"keep_rows": "1d"}
    for hour in range(4):
        label(hourly, ask(hourly, hour))
    assert [one["rows"] for one in hourly.run().windows] == [600] * 4
    hourly.now = START + timedelta(days=1, hours=1, minutes=30)
    tidy(hourly.home.predictions("late"), "at", timedelta(days=1), hourly.now)
    told = hourly.run()
    assert told.windows == []
    assert (told.report["windows"], told.report["rows"]) == (2, 1200)


def test_answers_that_are_wrong_in_two_windows_want_a_person_and_one_window_does_not(hourly: Monitored) -> None:
    for hour in range(3):
        label(hourly, ask(hourly, hour))
    assert [one for one in hourly.run().report["findings"] if one["subject"] == "auc"] == []
    label(hourly, ask(hourly, 3), wrong=0.5)
    assert [one for one in hourly.run().report["findings"] if one["subject"] == "auc"] == []
    label(hourly, ask(hourly, 4), wrong=0.5)
    report = hourly.run().report
    (found,) = [one for one in report["findings"] if one["subject"] == "auc"]
    assert (found["kind"], found["severity"], found["model"]) == ("performance", "warning", "late")
    assert "worse" in found["reason"]
    assert "so in 2 of 3 windows" in found["reason"]
    assert "auc is worse than when the version was made" in report["reason"]
    assert "auc" in report["covered"]["performance"]


def test_a_version_that_comes_between_begins_anew_and_the_windows_before_are_finished(
    hourly: Monitored, made: tuple[Path, str, str, str]
) -> None:
    _, first, second, learned_from = made
    for hour in range(2):
        ask(hourly, hour)
    hourly.run()
    hourly.versions = [version(1, first, learned_from, until=3), version(2, second, learned_from, hours=3)]
    ask(hourly, 2)
    ask(hourly, 3, version=2)
    ask(hourly, 4, version=2)
    told = hourly.run()
    assert [(one["version"], int((one["start_us"] - to_us(START)) / 3.6e9)) for one in told.windows] == [
        (1, 2),
        (2, 3),
        (2, 4),
    ]
    assert (told.report["version"], told.report["windows"]) == (2, 2)
    assert hourly.run().skipped is not None


def test_what_a_version_has_no_column_for_any_more_is_nothing_that_stands(
    hourly: Monitored, made: tuple[Path, str, str, str]
) -> None:
    """An alert on such a column stood until somebody resolved it by hand."""
    _, first, _, learned_from = made
    fewer = SIGNATURE.model_copy(update={"inputs": [one for one in SIGNATURE.inputs if one.name != "carrier"]})
    second = Bench(hourly.home).version(0.2, signature=fewer)
    ask(hourly, 0)
    assert "carrier" not in hourly.run().report["covered"]["drift"]
    hourly.versions = [version(1, first, learned_from, until=1), version(2, second, learned_from, hours=1)]
    hourly.now += HOUR
    assert hourly.run().report["covered"]["drift"] == ["carrier"]


def test_a_column_that_requests_no_longer_name_is_told_as_gone(hourly: Monitored) -> None:
    ask(hourly, 0)
    ask(hourly, 1, leave_out="carrier")
    ask(hourly, 2, leave_out="carrier")
    told = hourly.run()
    assert told.column("carrier")["state"] == "drifted"
    (note,) = told.report["body"]["notes"]
    assert note == "column carrier is gone from the log: no row of the newest window names it, so all count as missing"


def test_an_empty_log_is_not_yet_anything_and_no_failure(hourly: Monitored) -> None:
    hourly.now = START + 3 * HOUR
    report = hourly.run().report
    assert (report["state"], report["rows"], report["findings"]) == ("not yet", 0, [])
    assert "no window of 1h is full yet" in report["reason"]
    assert hourly.run().skipped is not None


def test_without_a_version_in_production_there_is_nothing_to_watch(hourly: Monitored) -> None:
    hourly.versions = []
    assert hourly.run().skipped == "no version of late is in production yet, so there is nothing to watch"


def test_shadows_and_answers_that_nobody_heard_are_in_no_window(hourly: Monitored) -> None:
    ask(hourly, 0)
    ask(hourly, 0, why="shadow", shift=900.0)
    ask(hourly, 0, status=503, outputs=None)
    assert [one["rows"] for one in hourly.run().windows] == [600]


def test_a_log_is_complete_up_to_the_first_line_that_is_not_in_the_lake(hourly: Monitored) -> None:
    ask(hourly, 0)
    hourly.run()
    now = to_us(hourly.now)
    assert logged_until(hourly.home, "late", now) == now - LATE_US
    ask(hourly, 1, rows=PER)
    assert logged_until(hourly.home, "late", now + 10**9) == to_us(START + HOUR) - LATE_US


def test_told_twice_or_from_nothing_kept_it_is_the_same(hourly: Monitored) -> None:
    for hour in range(3):
        label(hourly, ask(hourly, hour))
    first = hourly.run()
    again = hourly.run(force=True)
    shutil.rmtree(hourly.home.profiles)
    shutil.rmtree(hourly.home.references)
    anew = hourly.run(force=True)
    assert first.windows == again.windows == anew.windows
    assert first.report["body"] | {"life": []} == anew.report["body"] | {"life": []}
