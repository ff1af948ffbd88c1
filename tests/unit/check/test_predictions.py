"""`[predictions.NAME]` is compared with the version that would predict, before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.check import check_project
from pipeline.config import load_project
from store.errors import ProjectError
from store.home import Home
from tests.unit.check.test_check import BASE, MODEL
from tests.unit.registry.shelf import Shelf

SCORED = """
[predictions.scored]
model = "late"
dataset = "orders"
"""


MODEL_KEY = 'dataset = "orders"\nlabel = "returned"\nkey = ["id"]'


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "orders.csv").write_text("id,placed,country,price,returned\n1,2030-01-01 10:00:00,DE,9.5,0\n")
    return tmp_path


def written(folder: Path, text: str) -> Path:
    (folder / "trainshed.toml").write_text(BASE + MODEL.replace("models.returns", "models.late") + text)
    return folder


def promoted(home: Home, *columns: tuple[str, str]) -> None:
    shelf = Shelf(home)
    inputs = [{"name": name, "kind": kind, "vocabulary": []} for name, kind in columns]
    signature = {"inputs": inputs, "task": "binary", "label": "late", "classes": ["0", "1"]}
    shelf.promote(shelf.version(signature=signature))
    shelf.record.close()


def test_columns_that_the_version_takes_have_to_be_there_and_be_numbers(shop: Path) -> None:
    home = Home(shop / ".trainshed")
    promoted(home, ("price", "numeric"), ("country", "numeric"), ("colour", "categorical"))
    report = check_project(written(shop, SCORED), home)
    assert {fault.where for fault in report.faults} == {"predictions.scored.dataset"}
    first, second = (fault.what for fault in report.faults)
    assert first == "'country' is not a number but string"
    assert second.startswith("orders has no column 'colour', which the version takes")


def test_columns_to_keep_have_to_be_there_and_not_be_ours(shop: Path) -> None:
    home = Home(shop / ".trainshed")
    promoted(home, ("price", "numeric"))
    report = check_project(written(shop, SCORED + 'keep = ["idd", "score"]'), home)
    assert "'score' is a column of the prediction" in report.faults[0].what
    assert "orders has no column 'idd', did you mean 'id'?" in report.faults[1].what


def test_the_models_key_is_kept_without_a_word_and_may_not_be_ours_either(shop: Path) -> None:
    home = Home(shop / ".trainshed")
    text = SCORED + '[datasets.named]\nsql = "select *, id as score from orders"\ninputs = ["orders"]\n'
    written(shop, text.replace('dataset = "orders"', 'dataset = "named"'))
    project = shop / "trainshed.toml"
    project.write_text(project.read_text().replace(MODEL_KEY, 'dataset = "named"\nlabel = "returned"\nkey = ["score"]'))
    (fault,) = check_project(shop, home).faults
    assert (fault.where, fault.what) == ("predictions.scored.keep", "'score' is a column of the prediction")


def test_before_there_is_a_version_a_note_says_that_nothing_was_compared(shop: Path) -> None:
    report = check_project(written(shop, SCORED), Home(shop / ".trainshed"))
    assert report.faults == []
    assert "its columns were not compared with a version: there is no record yet" in report.notes[0].what
    assert "batch-predict:scored" in report.tree


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (SCORED.replace("late", "lat"), "no model 'lat'"),
        (SCORED.replace('"orders"', '"order"'), "no dataset 'order'"),
        (SCORED.replace("scored", "orders"), "has this name too"),
        (SCORED + 'version = 2\nalias = "canary"', "a version or an alias, not both"),
    ],
)
def test_names_that_lead_nowhere_are_faults_of_the_file(shop: Path, text: str, said: str) -> None:
    with pytest.raises(ProjectError, match=said):
        load_project(written(shop, text))


VIEWED = """
[features.habits]
inputs = ["orders"]
entity = ["country"]
time = "placed"
columns = ["price"]

[models.late.split]
test = 0.2
"""


def test_columns_of_feature_views_need_not_be_there_but_what_they_are_looked_up_by(shop: Path) -> None:
    home = Home(shop / ".trainshed")
    promoted(home, ("usual_price", "numeric"), ("colour", "categorical"))
    text = (BASE + MODEL.replace("models.returns", "models.late") + SCORED).replace(
        "[models.late]", '[models.late]\nviews = [{ view = "habits", prefix = "usual_", on = { country = "land" } }]', 1
    )
    (shop / "trainshed.toml").write_text(text + VIEWED)
    report = check_project(shop, home)
    faults = {fault.what for fault in report.faults if fault.where == "predictions.scored.dataset"}
    assert any(one.startswith("orders has no column 'land', by which feature views are looked up") for one in faults)
    assert any(one.startswith("orders has no column 'colour', which the version takes") for one in faults)
    assert not any("usual_price" in one for one in faults)
