"""Which libraries a warm process is made ready with, before anybody waits for them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from daemon.warmth import WarmWorkers, near
from pipeline.config import load_project
from pipeline.config.jobs import Job, jobs_of

PROJECT = """
[project]
name = "near"
[sources.s]
kind = "file"
path = "rows.csv"
format = "csv"
[datasets.raw]
source = "s"
[datasets.clean]
sql = "select * from raw"
inputs = ["raw"]
[datasets.other]
source = "s"
[models.m]
task = "binary"
dataset = "clean"
label = "y"
key = ["id"]
numeric = ["x"]
[monitors.m]
model = "m"
"""


@pytest.fixture
def jobs(tmp_path: Path) -> dict[str, Job]:
    (tmp_path / "trainshed.toml").write_text(PROJECT)
    return jobs_of(load_project(tmp_path))


def test_a_training_that_is_queued_behind_its_data_is_near(jobs: dict[str, Job]) -> None:
    assert near({"etl", "train"}, [], jobs) == ["data", "training"]


def test_a_training_alone_needs_nothing_that_moves_data(jobs: dict[str, Job]) -> None:
    assert near({"train"}, ["train:m"], jobs) == ["training"]


@pytest.mark.parametrize("kind", ["etl", "features", "monitor", "backup"])
def test_what_a_schedule_does_without_a_model_loads_nothing_to_learn_with(kind: str, jobs: dict[str, Job]) -> None:
    assert near({kind}, [], jobs) == ["data"]  # type: ignore[arg-type]


def test_who_brings_what_a_model_learns_from_by_hand_means_to_train_it_next(jobs: dict[str, Job]) -> None:
    assert near({"etl"}, ["etl:raw"], jobs) == ["data", "training"]


def test_what_no_model_learns_from_or_is_no_job_any_more_brings_no_training_near(jobs: dict[str, Job]) -> None:
    assert near({"etl"}, ["etl:other", "etl:gone"], jobs) == ["data"]
    assert near({"monitor", "backup"}, ["monitor:m", "backup"], jobs) == ["data"]


def test_where_nothing_is_queued_nothing_is_near(jobs: dict[str, Job]) -> None:
    assert near(set(), [], jobs) == []


@pytest.mark.slow
def test_runs_wait_while_their_libraries_are_loaded_and_not_for_a_process_whose_forerunner_died_of_them(
    tmp_path: Path,
) -> None:
    warm = WarmWorkers(timedelta(minutes=1), tmp_path / "log")
    try:
        assert not warm.is_loading("etl"), "nobody loads anything for it"
        warm.prepare(["data"])
        assert warm.is_loading("etl")
        assert warm.is_loading("monitor")
        assert not warm.is_loading("train")
        os.kill(warm.pids()["data"], signal.SIGKILL)
        _until(lambda: not warm.is_loading("etl"))
        warm.prepare(["data"])
        assert not warm.is_loading("etl")
        warm.close()
        warm.prepare(["data"])
        assert warm.is_loading("etl")
        _until(lambda: not warm.is_loading("etl"))
        assert os.waitid(os.P_PID, warm.pids()["data"], os.WEXITED | os.WNOHANG | os.WNOWAIT) is None, "it is there"
    finally:
        warm.close()


def _until(so: Callable[[], bool]) -> None:
    last = time.monotonic() + 25
    while not so():
        assert time.monotonic() < last
        time.sleep(0.02)
