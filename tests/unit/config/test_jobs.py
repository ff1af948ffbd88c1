"""Jobs follow from the project: each after what it builds upon."""

from __future__ import annotations

from pathlib import Path

from pipeline.config.jobs import jobs_of, pools_of, with_upstream
from pipeline.config.load import load_project
from pipeline.config.schedules import JobSection

FLIGHTS = Path(__file__).parents[3] / "assets" / "demo" / "flights"
STARTER = Path(__file__).parents[3] / "assets" / "starter"


def test_every_job_comes_after_its_upstream() -> None:
    seen: set[str] = set()
    for job in jobs_of(load_project(FLIGHTS)).values():
        assert set(job.upstream) <= seen
        seen.add(job.name)


def test_training_brings_everything_from_the_sources_on_up_to_date_once_and_in_order() -> None:
    names = [job.name for job in with_upstream(jobs_of(load_project(FLIGHTS)), "train:late")]
    assert len(names) == len(set(names)) == 11
    assert names[-1] == "train:late"
    assert names.index("etl:airlines") < names.index("etl:flights_raw") < names.index("etl:flights")
    assert names.index("etl:flights") < names.index("features:carrier_delays")


def test_a_foreign_key_makes_its_dataset_upstream() -> None:
    assert set(jobs_of(load_project(FLIGHTS))["etl:flights_raw"].upstream) == {"etl:airlines", "etl:airports"}


def test_settings_of_a_job_are_its_own() -> None:
    jobs = jobs_of(load_project(FLIGHTS))
    assert jobs["train:late"].settings.retries == 1
    assert jobs["etl:flights"].settings.retries == 0


def test_the_starter_is_a_project() -> None:
    assert list(jobs_of(load_project(STARTER)))[-1] == "backup"


def test_a_monitor_does_not_wait_in_the_pool_of_trainings_unless_it_is_told_to() -> None:
    project = load_project(FLIGHTS)
    jobs = jobs_of(project)
    monitors = [name for name, job in jobs.items() if job.kind == "monitor"]
    assert monitors
    assert {jobs[name].settings.pool for name in monitors} == {"monitors"}
    assert {job.settings.pool for job in jobs.values() if job.kind != "monitor"} == {"default"}
    assert pools_of(project)["monitors"] == 1
    asked = {monitors[0]: JobSection(pool="default"), **{name: JobSection(retries=2) for name in monitors[1:]}}
    told = jobs_of(project.model_copy(update={"jobs": asked}))
    assert [told[name].settings.pool for name in monitors] == ["default", *["monitors"] * (len(monitors) - 1)]
