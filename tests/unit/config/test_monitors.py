"""`[monitors.NAME]`: what may be written, what follows without being written, and what is refused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from pipeline.config import Project
from pipeline.config.jobs import jobs_of
from pipeline.config.monitors import MonitorSection, window_text
from pipeline.config.watched import monitors_of, schedules_of

BASE: dict[str, Any] = {
    "project": {"name": "test"},
    "sources": {"raw": {"kind": "file", "path": "*.csv", "format": "csv"}},
    "datasets": {"flights": {"source": "raw", "key": ["id"], "time": "at"}, "plain": {"source": "raw"}},
    "models": {
        name: {"task": "binary", "dataset": "flights", "label": "late", "key": ["flight"], "numeric": ["distance"]}
        for name in ("late", "early")
    },
}
SERVED: dict[str, Any] = {"serving": {"enabled": True}}


def project(**sections: Any) -> Project:
    return Project.model_validate({**BASE, **sections})


def test_a_served_model_that_nobody_names_has_a_monitor_of_its_own_name_every_hour() -> None:
    found = project(**SERVED, monitors={"mine": {"model": "early", "window": "1h"}})
    assert list(monitors_of(found)) == ["mine", "late"]
    assert monitors_of(found)["late"] == MonitorSection(model="late")
    assert schedules_of(found)["monitor_late"].every == timedelta(hours=1)
    assert "monitor:late" in jobs_of(found)


@pytest.mark.parametrize(
    "serving", [{}, {"enabled": True, "log": {"enabled": False}}, {"enabled": True, "models": ["early"]}]
)
def test_without_requests_that_are_logged_a_model_is_not_watched(serving: dict[str, Any]) -> None:
    assert "late" not in monitors_of(project(serving=serving))


def test_a_schedule_of_the_project_takes_the_place_of_the_one_that_follows() -> None:
    nightly = {"nightly": {"job": "monitor:late", "cron": "5 3 * * *"}}
    found = schedules_of(project(**SERVED, schedules=nightly))
    assert sorted(found) == ["monitor_early", "nightly"]


def test_a_dataset_brings_its_time_and_leaves_out_what_identifies_a_row() -> None:
    found = monitors_of(project(monitors={"daily": {"dataset": "flights"}}))["daily"]
    assert (found.time, found.leave_out, found.held_against) == ("at", ["id", "flight"], "trailing")
    chosen = monitors_of(project(monitors={"daily": {"dataset": "flights", "columns": ["id"]}}))["daily"]
    assert chosen.leave_out == ["flight"]
    assert jobs_of(project(monitors={"daily": {"dataset": "flights"}}))["monitor:daily"].upstream == ("etl:flights",)


def test_a_window_is_a_span_of_time_or_so_many_rows() -> None:
    assert [window_text(one) for one in ("24h", "1d", "2_000 rows", " 500 rows ")] == [
        "1d",
        "1d",
        "2000 rows",
        "500 rows",
    ]
    timed, counted = (MonitorSection(model="late", window=one) for one in ("1h", "2000 rows"))
    assert (timed.span, timed.rows) == (timedelta(hours=1), None)
    assert (counted.span, counted.rows) == (None, 2000)


@pytest.mark.parametrize(
    ("section", "why"),
    [
        ({}, "a model or a dataset: name one of them"),
        ({"model": "late", "dataset": "flights"}, "a model or a dataset: name one of them"),
        ({"model": "late", "time": "at"}, "`time` is for datasets"),
        ({"dataset": "flights", "reference": "training"}, "a dataset has no training set"),
        ({"dataset": "flights", "retrain": {}}, "are of a model"),
        ({"dataset": "flights", "performance": {"drop": 0.5}}, "are of a model"),
        ({"dataset": "plain"}, "plain has no `time`"),
        ({"dataset": "flihts"}, "no dataset 'flihts', did you mean 'flights'"),
        ({"model": "lat"}, "no model 'lat', did you mean 'late'"),
        ({"model": "late", "needed": 4}, "4 of 3 windows cannot be needed"),
        ({"model": "late", "window": "10 row"}, "is no window"),
        ({"model": "late", "window": "10s"}, "a window lasts a minute at least"),
        ({"model": "late", "window": "0 rows"}, "a window has at least one row"),
        ({"model": "late", "reference": "last cycle", "window": "9 rows"}, "windows of so many rows have no cycle"),
        ({"model": "late", "reference": "last cycle", "window": "5h"}, "a whole number of windows of 5h"),
        ({"model": "late", "measures": ["psy"]}, "psi"),
        ({"model": "late", "limits": {"psi": 0}}, "greater than 0"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_reason(section: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why.replace("[", r"\[")):
        project(monitors={"one": section})


def test_a_monitor_under_a_models_name_watches_that_model() -> None:
    with pytest.raises(ValidationError, match="model late is watched under this name"):
        project(monitors={"late": {"dataset": "flights"}})
    assert monitors_of(project(**SERVED, monitors={"late": {"model": "late"}}))["early"].model == "early"


def test_windows_are_kept_for_two_years_or_as_long_as_is_said_and_for_a_cycle_at_least() -> None:
    of = MonitorSection.model_validate
    kept = {said: of({"dataset": "flights", "keep_windows": said}).keep_windows for said in ("off", "90d")}
    assert kept == {"off": None, "90d": timedelta(days=90)}
    assert MonitorSection(dataset="flights").keep_windows == timedelta(days=730)
    with pytest.raises(ValidationError, match="greater than or equal to"):
        of({"dataset": "flights", "keep_windows": "1h"})
    cyclic = {"dataset": "flights", "reference": "last cycle", "cycle": "7d"}
    assert of({**cyclic, "keep_windows": "8d"}).cycle == timedelta(days=7)
    with pytest.raises(ValidationError, match="`keep_windows` is shorter than a cycle: 7d and a window are needed"):
        of({**cyclic, "keep_windows": "7d"})
