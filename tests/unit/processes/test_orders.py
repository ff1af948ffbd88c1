"""From a job that is asked for to the rows of the queue."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon.orders import Order, check_params, new_runs
from pipeline.config import Project, load_project
from pipeline.config.jobs import jobs_of
from store.errors import NotFound, ProjectError

PROJECT = """
[project]
name = "orders"
[sources.s]
kind = "file"
path = "rows.csv"
format = "csv"
[datasets.raw]
source = "s"
[datasets.clean]
sql = "select * from raw"
inputs = ["raw"]
[models.m]
task = "binary"
dataset = "clean"
label = "y"
key = ["id"]
numeric = ["x"]
[jobs."train:m"]
retries = 2
priority = 5
pool = "default"
timeout = "1h"
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "trainshed.toml").write_text(PROJECT)
    return load_project(tmp_path)


def test_alone_a_job_is_one_run(project: Project) -> None:
    order = Order(job="train:m", trigger="manual", actor="ada", params={"training.epochs": 2}, priority=1)
    (run,) = new_runs(jobs_of(project), order)
    assert (run.job, run.kind, run.target, run.trigger) == ("train:m", "train", "m", "manual")
    assert (run.max_attempts, run.priority, run.timeout_s, run.depends_on) == (3, 6, 3600.0, ())
    assert run.params == {"training.epochs": 2}


def test_with_upstream_everything_it_builds_upon_comes_first_without_its_settings(project: Project) -> None:
    order = Order(
        job="train:m", trigger="schedule", actor="ada", params={"training.epochs": 2}, upstream=True, force=True
    )
    queued = new_runs(jobs_of(project), order)
    assert [(run.job, run.trigger) for run in queued] == [
        ("etl:raw", "upstream"),
        ("etl:clean", "upstream"),
        ("train:m", "schedule"),
    ]
    assert [run.depends_on for run in queued] == [(), ("etl:raw",), ("etl:clean",)]
    assert [run.force for run in queued] == [False, False, True]
    assert queued[0].params == {}


def test_an_unknown_job_is_refused_with_the_nearest_name(project: Project) -> None:
    with pytest.raises(NotFound, match="etl:clean"):
        new_runs(jobs_of(project), Order(job="etl:claen", trigger="manual", actor="ada"))


@pytest.mark.parametrize(
    ("job", "params", "said"),
    [
        ("train:m", {"training.epoch": 2}, "epoch"),
        ("etl:raw", {"rows": 3}, "etl:raw takes no setting 'rows'"),
        ("evaluate:m", {"versoin": 3}, "version"),
    ],
)
def test_a_setting_the_job_does_not_take_is_refused_before_it_is_queued(
    project: Project, job: str, params: dict[str, int], said: str
) -> None:
    with pytest.raises(ProjectError, match=said):
        check_params(project, jobs_of(project)[job], params)


def test_settings_the_job_takes_pass(project: Project) -> None:
    check_params(project, jobs_of(project)["train:m"], {"training.epochs": 2})
    check_params(project, jobs_of(project)["evaluate:m"], {"version": 1})
