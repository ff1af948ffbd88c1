"""`[monitors.NAME]` is compared with what it watches, before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.check import check_project
from store.home import Home
from tests.unit.check.test_check import BASE, MODEL


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "orders.csv").write_text("id,placed,country,price,returned\n1,2030-01-01 10:00:00,DE,9.5,0\n")
    return tmp_path


def faults(folder: Path, text: str) -> dict[str, str]:
    (folder / "trainshed.toml").write_text(BASE + MODEL + text)
    return {one.where: one.what for one in check_project(folder, Home(folder / ".trainshed")).faults}


def test_columns_and_time_of_a_dataset_have_to_be_there(shop: Path) -> None:
    monitor = '\n[monitors.daily]\ndataset = "orders"\ntime = "placd"\ncolumns = ["price"]\nleave_out = ["cuntry"]\n'
    found = faults(shop, monitor)
    assert found["monitors.daily.time"] == "orders has no column 'placd', did you mean 'placed'?"
    assert found["monitors.daily.leave_out"] == "orders has no column 'cuntry', did you mean 'country'?"
    assert "monitors.daily.columns" not in found


def test_a_time_that_is_none_is_told(shop: Path) -> None:
    assert faults(shop, '\n[monitors.daily]\ndataset = "orders"\ntime = "price"\n')["monitors.daily.time"].startswith(
        "'price' is no time but"
    )


def test_a_model_cannot_be_watched_without_its_log(shop: Path) -> None:
    text = '\n[serving.log]\nenabled = false\n[monitors.late]\nmodel = "returns"\ncolumns = ["pric"]\n'
    found = faults(shop, text)
    assert "the prediction log, which is off" in found["monitors.late"]
    assert "did you mean 'price'" in found["monitors.late.columns"]
