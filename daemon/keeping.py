"""How long runs stay, by the project file; what its rules look back at stays at least for so long."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from pipeline.config import Project
from pipeline.config.monitors import MonitorSection
from pipeline.config.watched import monitors_of
from store.retention import Policy
from store.times import us


def policy_of(project: Project) -> Policy:
    settings = project.daemon
    named = {name: job.keep_runs for name, job in project.jobs.items() if "keep_runs" in job.model_fields_set}
    least = _looked_back(project)
    of_jobs = {name: _longer(named.get(name, settings.keep_runs), least.get(name)) for name in {**named, **least}}
    return Policy(
        keep_us=None if settings.keep_runs is None else us(settings.keep_runs),
        of_jobs={name: None if keep is None else us(keep) for name, keep in of_jobs.items()},
        newest=settings.keep_newest,
    )


def _longer(keep: timedelta | None, least: timedelta | None) -> timedelta | None:
    """None: for ever."""
    return keep if keep is None or least is None else max(keep, least)


def _looked_back(project: Project) -> Mapping[str, timedelta]:
    """Job → how far back a rule counts its runs: trainings against its budget, reports in a row."""
    found: dict[str, timedelta] = {}
    for name, section in monitors_of(project).items():
        if section.retrain is not None and section.model is not None:
            train = f"train:{section.model}"
            found[train] = max(section.retrain.per, section.retrain.cool_down, found.get(train, timedelta()))
            found[f"monitor:{name}"] = _of_reports(section, section.retrain.reports)
    return found


def _of_reports(section: MonitorSection, reports: int) -> timedelta:
    """So many reports, each over newer windows, and as many again for windows that wait for rows or labels."""
    return 2 * reports * max(section.every, section.span or section.every)
