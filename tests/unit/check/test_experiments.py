"""`[experiments.NAME]`: what it asks has to be told by what is logged."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.check import check_project
from pipeline.config import load_project
from store.errors import ProjectError
from store.home import Home
from tests.unit.check.test_check import BASE, MODEL

EXPERIMENT = """
[experiments.fresh]
model = "returns"
metric = "correct"
guardrails = [{ metric = "errors", margin = 0.01 }]
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "orders.csv").write_text("id,placed,country,price,returned\n1,2030-01-01 10:00:00,DE,9.5,0\n")
    return tmp_path


def written(folder: Path, text: str) -> Path:
    (folder / "trainshed.toml").write_text(BASE + MODEL + text)
    return folder


def test_what_can_be_asked_is_no_fault(shop: Path) -> None:
    report = check_project(written(shop, EXPERIMENT), Home(shop / ".trainshed"))
    assert report.faults == []
    section = load_project(shop).experiments["fresh"]
    assert (section.alias, section.share, section.least_units, section.longest) == ("candidate", 0.5, 1000, None)


def test_a_metric_has_to_be_one_that_the_model_can_have(shop: Path) -> None:
    text = EXPERIMENT.replace('"correct"', '"absolute_error"').replace('"errors"', '"label"')
    first, second = check_project(written(shop, text), Home(shop / ".trainshed")).faults
    assert (first.where, second.where) == ("experiments.fresh.metric", "experiments.fresh.guardrails[0].metric")
    assert "the model names classes: `correct` is what it has" in first.what


def test_without_a_log_nobody_is_exposed_and_with_half_of_it_half_of_the_labels_count(shop: Path) -> None:
    home = Home(shop / ".trainshed")
    (fault,) = check_project(written(shop, EXPERIMENT + "[serving.log]\nenabled = false\n"), home).faults
    assert fault.what == "exposures are read from the prediction log, which is off"
    report = check_project(written(shop, EXPERIMENT + "[serving.log]\npayloads = 0.5\n"), home)
    assert report.faults == []
    assert "answers are known of 0.5 of the requests only" in [note.what for note in report.notes][-1]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (EXPERIMENT.replace('"returns"', '"retruns"'), "no model 'retruns', did you mean 'returns'"),
        (EXPERIMENT + 'least_time = "7d"\nlongest = "1d"', "`longest` is not shorter than `least_time`"),
        (EXPERIMENT + 'version = 2\nalias = "mine"', "names a version or an alias, not both"),
        (EXPERIMENT + 'window = "0s"', "should be greater than"),
        (EXPERIMENT.replace('"errors"', '"correct"'), "each metric is named once"),
        (EXPERIMENT.replace("margin = 0.01", "margin = -1"), "greater than or equal to 0"),
        (EXPERIMENT + "share = 1.0", "less than 1"),
    ],
)
def test_nonsense_is_refused_with_its_place(shop: Path, text: str, what: str) -> None:
    with pytest.raises(ProjectError, match=what):
        load_project(written(shop, text))
