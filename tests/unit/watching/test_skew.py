"""What was served against what training would have looked up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline.config import Project
from pipeline.versions.signature import FeatureKind
from pipeline.watching.skew import Skew, skew, skew_assessed, skew_columns
from store import lake
from store.home import Home
from tests.unit.watching.log import plain

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
MOMENT = pa.timestamp("us", tz="UTC")
INPUTS: dict[str, FeatureKind] = {
    "origin": "categorical",
    "gate": "numeric",
    "w_temp": "numeric",
    "w_sky": "categorical",
}
PROJECT: dict[str, Any] = {
    "project": {"name": "p"},
    "sources": {"any": {"kind": "file", "path": "x.csv", "format": "csv"}},
    "datasets": {"trips": {"source": "any"}, "readings": {"source": "any"}},
    "features": {
        "weather": {"inputs": ["readings"], "entity": ["place"], "time": "at", "ttl": "2h"},
        "planes": {"inputs": ["readings"], "entity": ["tail"], "time": "at"},
        "gates": {"inputs": ["readings"], "entity": ["gate"], "time": "at"},
    },
    "models": {
        "late": {
            "task": "binary",
            "dataset": "trips",
            "label": "late",
            "key": ["id"],
            "time": "leaves",
            "numeric": ["gate"],
            "categorical": ["origin"],
            "views": [
                {"view": "weather", "on": {"place": "origin"}, "prefix": "w_"},
                {"view": "planes"},
                {"view": "gates"},
            ],
        }
    },
}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project.model_validate(PROJECT).placed_in(tmp_path)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A reading an hour at JFK, its number the hour; clouds from noon on."""
    home = Home(tmp_path / "home")
    hours = range(24)
    rows = pa.table(
        {
            "place": ["JFK"] * 24,
            "at": pa.array([START + hour * HOUR for hour in hours], MOMENT),
            "temp": [hour + 0.1 for hour in hours],
            "sky": ["clear" if hour < 12 else "clouds" for hour in hours],
        }
    )
    lake.commit(home.feature_view("weather"), rows.to_reader(), mode="append", metadata={}, expected=None)
    return home


def seen(home: Home, project: Project, hours: list[float], **columns: list[Any]) -> Skew:
    kinds = skew_columns(project, "late", INPUTS)
    types = {"numeric": pa.float32(), "categorical": pa.string()}
    known = {"gate": [1.0] * len(hours), "origin": ["JFK"] * len(hours), **columns}
    rows = pa.table({name: pa.array(known[name], types[kind]) for name, kind in kinds.items()})
    at = np.array([int((START + hour * HOUR).timestamp() * 1e6) for hour in hours], np.int64)
    return skew(home, project, "late", rows, at, INPUTS)


def test_values_that_training_would_look_up_too_are_no_skew_single_precision_included(
    home: Home, project: Project
) -> None:
    found = seen(
        home, project, [3.5, 12.0, 40.0], w_temp=[3.1, 12.1, None], w_sky=["clear", "clouds", None], gate=["1"] * 3
    )
    assert [(one.feature, one.rows, one.differ) for one in found.features] == [("w_sky", 3, 0), ("w_temp", 3, 0)]
    assert [one.answer for one in skew_assessed(found, least_rows=1)] == ["clear"]


def test_older_values_and_missing_ones_are_told_apart(home: Home, project: Project) -> None:
    found = seen(
        home,
        project,
        [3.5, 4.5, 5.5, 40.0],
        w_temp=[2.1, None, float("nan"), 9.0],
        w_sky=["clear", "clear", "clear", None],
        gate=["1"] * 4,
    )
    (worst, sky) = found.features
    assert (worst.feature, worst.differ, worst.only_served, worst.only_offline) == ("w_temp", 4, 1, 2)
    assert worst.examples == (("2.1", "3.1"), ("nothing", "4.1"), ("nothing", "5.1"))
    assert sky.differ == 0
    (told,) = skew_assessed(found, least_rows=4)
    assert (told.kind, told.subject, told.answer) == ("skew", "weather", "found")
    assert "w_temp differs in 100.0% of 4 rows" in told.reason
    assert "2.1 served, 3.1 in training" in told.reason
    plain([found.document(), told.document()])
    assert skew_assessed(found)[0].reason == "4 rows, and at least 500 are needed"


def test_of_a_view_whose_entity_the_log_does_not_have_that_is_what_is_told(home: Home, project: Project) -> None:
    found = seen(home, project, [3.5], w_temp=[3.1], w_sky=["clear"], gate=["1"])
    assert found.untold == {
        "planes": "its entity tail is no column of the model: the log does not say whose values were served",
        "gates": "it has no version yet",
    }


def test_an_entity_of_numbers_is_found_by_the_words_of_the_log(home: Home, project: Project) -> None:
    rows = pa.table({"gate": [7, 16_777_217], "at": pa.array([START] * 2, MOMENT), "crowd": [0.5, 0.25]})
    lake.commit(home.feature_view("gates"), rows.to_reader(), mode="append", metadata={}, expected=None)
    inputs: dict[str, FeatureKind] = {"gate": "numeric", "crowd": "numeric"}
    assert skew_columns(project, "late", inputs)["gate"] == "categorical"
    asked = pa.table({"gate": ["7", "16777217", "none"], "crowd": pa.array([0.5, 0.25, 3.0], pa.float32())})
    at = np.full(3, int((START + HOUR).timestamp() * 1e6))
    (found,) = skew(home, project, "late", asked, at, inputs).features
    assert (found.differ, found.only_served) == (1, 1)


def test_no_rows_have_no_skew(home: Home, project: Project) -> None:
    found = seen(home, project, [], w_temp=[], w_sky=[], gate=[], origin=[])
    assert all(one.share == 0.0 for one in found.features)
    assert skew_assessed(found)[0].answer == "not yet"
