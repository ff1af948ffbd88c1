"""The errors of a served version, followed from look to look: each labelled row once, whenever its label comes."""

from __future__ import annotations

import random
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.watching.backtest import backtest
from pipeline.watching.errorstream import StreamState
from store.times import to_us
from tests.unit.watching.monitored import HOUR, START, Monitored
from tests.unit.watching.test_model_monitor import HOURLY, ask, hourly, label, made, version

__all__ = ["hourly", "made"]  # fixtures
pytestmark = pytest.mark.slow  # versions are made with JAX
MINUTE = timedelta(minutes=1)


def later(one: Monitored, minutes: int = 2) -> None:
    """What came in a minute is taken when that minute is over."""
    one.now += minutes * MINUTE


def state(one: Monitored, number: int = 1) -> StreamState:
    return StreamState.from_document(one.streams[number]["state"])


def errors(report: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for one in report["findings"] if one["subject"] == "errors"]


def test_a_rise_of_the_errors_is_found_with_its_numbers_and_stays_until_it_is_made_good(hourly: Monitored) -> None:
    for hour in range(4):
        label(hourly, ask(hourly, hour))
    later(hourly)
    calm = hourly.run().report
    assert errors(calm) == []
    assert "errors" in calm["covered"]["performance"]
    assert any(said.startswith("no change in the share of wrong answers over 2,400") for said in calm["body"]["life"])
    label(hourly, ask(hourly, 4), wrong=0.5)
    later(hourly)
    report = hourly.run().report
    (found,) = errors(report)
    assert (found["kind"], found["severity"], found["model"]) == ("performance", "warning", "late")
    assert found["title"] == "it errs more than before"
    assert found["title"] in report["reason"]
    assert "noticed at 2026-03-02 04:" in found["reason"]
    assert "of 3,000)" in found["reason"]
    assert found["evidence"]["excess"] > 0.1
    ask(hourly, 5)
    later(hourly)
    assert len(errors(hourly.run().report)) == 1  # nothing new is known of it
    for hour in range(6, 14):
        label(hourly, ask(hourly, hour))
    later(hourly)
    assert errors(hourly.run().report) == []


def test_labels_are_fed_once_however_often_they_come_and_corrections_change_nothing(hourly: Monitored) -> None:
    heard = [ask(hourly, hour) for hour in range(3)]
    assert hourly.run().report["stream"] is None
    label(hourly, heard[2])
    later(hourly)
    told = hourly.run().report["stream"]
    assert (told["since_us"], told["until_us"]) == (0, to_us(START + 3 * HOUR + 2 * MINUTE))
    assert state(hourly).adwin.seen == 600
    label(hourly, heard[2])
    later(hourly)
    assert hourly.run().skipped is not None
    label(hourly, heard[2], wrong=0.9, seed=1)  # somebody corrects them
    later(hourly)
    restated = hourly.run()
    assert len(restated.windows) == 1
    assert restated.report["stream"] is None
    label(hourly, heard[0])  # late, of requests before those that are in it
    later(hourly)
    hourly.run()
    assert state(hourly).adwin.seen == 1200


def test_what_came_within_the_last_minute_is_fed_by_the_next_look(hourly: Monitored) -> None:
    label(hourly, ask(hourly, 0))
    first = hourly.run()
    assert (first.windows[0]["labelled"], first.report["stream"]) == (600, None)
    later(hourly)
    again = hourly.run()
    assert (again.windows, again.report["stream"]["since_us"]) == ([], 0)
    assert hourly.run().skipped is not None


def test_the_stream_is_the_same_whenever_somebody_looks(hourly: Monitored, tmp_path: Path) -> None:
    heard = {hour: ask(hourly, hour) for hour in range(3)}
    draw = random.Random(3)
    parts = [{request: one[request]} for one in heard.values() for request in one]
    draw.shuffle(parts)
    for place, part in enumerate(parts):
        label(hourly, part, seed=place)
        later(hourly, 1)
        if draw.random() < 0.1:
            hourly.run()
    later(hourly)
    hourly.run()
    at_once = Monitored(tmp_path, dict(HOURLY), now=hourly.now, versions=hourly.versions)
    at_once.runs = hourly.runs
    at_once.run()
    assert state(at_once).adwin.seen == 1800
    assert state(at_once).adwin.document() == state(hourly).adwin.document()


def test_another_version_has_a_stream_of_its_own_and_one_that_comes_back_goes_on(
    hourly: Monitored, made: tuple[Path, str, str, str]
) -> None:
    _, first, second, learned_from = made
    label(hourly, ask(hourly, 0))
    later(hourly)
    hourly.run()
    hourly.versions = [version(1, first, learned_from, until=1), version(2, second, learned_from, hours=1)]
    label(hourly, ask(hourly, 1, version=2))
    later(hourly)
    hourly.run()
    assert {number: state(hourly, number).adwin.seen for number in (1, 2)} == {1: 600, 2: 600}
    hourly.versions = [version(2, second, learned_from, hours=1, until=2), version(1, first, learned_from)]
    label(hourly, ask(hourly, 2))
    later(hourly)
    hourly.run()
    assert {number: state(hourly, number).adwin.seen for number in (1, 2)} == {1: 1200, 2: 600}


def test_a_state_of_another_release_begins_anew_with_what_comes(hourly: Monitored) -> None:
    label(hourly, ask(hourly, 0))
    later(hourly)
    hourly.run()
    hourly.streams[1]["state"]["format"] = 0
    label(hourly, ask(hourly, 1))
    later(hourly)
    told = hourly.run().report["stream"]
    assert told["since_us"] == to_us(START + HOUR + 2 * MINUTE)
    assert state(hourly).adwin.seen == 600


def test_who_does_not_want_it_has_none(hourly: Monitored) -> None:
    hourly.monitor["performance"] = {"drop": 0.1, "stream": False}
    label(hourly, ask(hourly, 0))
    later(hourly)
    report = hourly.run().report
    assert report["stream"] is None
    assert "errors" in report["covered"]["performance"], "what was found of it is over"


def test_a_look_that_dies_before_its_report_has_fed_nothing(hourly: Monitored) -> None:
    label(hourly, ask(hourly, 0))
    later(hourly)
    hourly.run()
    known = dict(hourly.streams)
    label(hourly, ask(hourly, 1))
    later(hourly)
    alone = hourly.run()
    hourly.streams = known  # its report never reached the record
    shutil.rmtree(hourly.home.profiles)
    again = hourly.run(force=True)
    assert again.report["stream"] == alone.report["stream"]


def test_a_classifier_holds_requests_against_the_rows_that_trained_and_says_when_they_are_gone(
    hourly: Monitored,
) -> None:
    hourly.monitor |= {"measures": ["psi", "classifier"], "skew": False}
    for hour in range(3):
        ask(hourly, hour, shift=0.0)
    told = hourly.run()
    rows = next(one for one in told.report["body"]["assessed"] if one["subject"] == "rows")
    assert rows["evidence"]["rows"][1] == 600
    kept = next(hourly.home.references.glob("*.learned.parquet"))
    shutil.rmtree(hourly.home.training_sets)
    for file in hourly.home.profiles.rglob("*.told.json"):
        file.unlink()
    again = hourly.run(force=True)
    assert again.report["body"]["assessed"] == told.report["body"]["assessed"]
    kept.unlink()
    for file in hourly.home.profiles.rglob("*.told.json"):
        file.unlink()
    gone = hourly.run(force=True)
    (note,) = gone.report["body"]["notes"]
    assert note.startswith("rows are not told apart: there is no training set ")
    assert note.endswith(", and of its rows none were kept")
    assert "rows" not in gone.report["covered"]["drift"]


def test_a_trailing_reference_is_of_the_log_itself(hourly: Monitored) -> None:
    hourly.monitor |= {"measures": ["classifier"], "reference": "trailing", "trailing": 2}
    for hour in range(4):
        ask(hourly, hour)
    told = hourly.run()
    rows = next(one for one in told.report["body"]["assessed"] if one["subject"] == "rows")
    assert (rows["answer"], rows["evidence"]["rows"]) == ("clear", [1200, 600])


def test_a_backtest_says_when_the_errors_would_have_alarmed_as_if_each_label_had_come_with_its_answer(
    hourly: Monitored,
) -> None:
    heard = {hour: ask(hourly, hour) for hour in range(8)}
    for hour, one in heard.items():
        label(hourly, one, wrong=0.5 if hour > 4 else 0.2, seed=hour)
    later(hourly)
    hourly.run()
    facts, section = hourly.facts().monitor, hourly.project.monitors["watch"]
    assert facts is not None
    found = backtest(hourly.home, "watch", section, facts, 0)
    erred = [one for one in found["alarms"] if "errors" in one["columns"]]
    assert [one["at"] for one in erred] == [(START + 6 * HOUR).isoformat()]
    assert erred[0]["windows"] == 3
    assert "errors: the share of wrong answers rose from" in erred[0]["reason"]
    wide = section.model_copy(update={"performance": section.performance.model_copy(update={"drop": 0.9})})
    assert backtest(hourly.home, "watch", wide, facts, 0)["alarms"] == []
    assert found["settings"]["performance"]["drop"] == 0.1
