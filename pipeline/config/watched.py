"""The monitors of a project and their schedules: those of the file, and those that follow from what is served."""

from __future__ import annotations

from pipeline.config.monitors import MonitorSection
from pipeline.config.project import Project
from pipeline.config.schedules import ScheduleSection
from store.errors import NotFound

_LONGEST = 63
"""Letters of a name."""


def monitors_of(project: Project) -> dict[str, MonitorSection]:
    """Those of the file; then one, of its own name, for each model that is served and that none of them names.

    What a section leaves to its dataset stands in it.
    """
    named = {one.model for one in project.monitors.values()}
    unwatched = [model for model in served(project) if model not in named and model not in project.monitors]
    written = {name: _whole(section, project) for name, section in project.monitors.items()}
    return {**written, **{model: MonitorSection(model=model) for model in unwatched}}


def monitor_of(project: Project, name: str) -> MonitorSection:
    """One of them, for a program that reads the file anew. Raises NotFound: the daemon may have read an older file."""
    found = monitors_of(project)
    if name not in found:
        raise NotFound(
            f"the project file has no monitor {name!r} any more",
            where="monitors",
            remedy="`trainshed reload` has the daemon read the file as it is now",
        )
    return found[name]


def _whole(section: MonitorSection, project: Project) -> MonitorSection:
    """With the dataset's time, and without columns that identify a row: those never come as they were before."""
    if section.dataset is None:
        return section
    dataset = project.datasets[section.dataset]
    keys = [
        *dataset.key,
        *(key for model in project.models.values() if model.dataset == section.dataset for key in model.key),
    ]
    leave_out = dict.fromkeys([*section.leave_out, *(key for key in keys if key not in section.columns)])
    return section.model_copy(update={"time": section.time or dataset.time, "leave_out": list(leave_out)})


def served(project: Project) -> list[str]:
    """Models whose requests are logged: all, unless `[serving]` names some."""
    settings = project.serving
    if not (settings.enabled and settings.log.enabled):
        return []
    return list(settings.models or project.models)


def schedule_of(monitor: str) -> str:
    """The name of the schedule that a monitor has by itself."""
    return f"monitor_{monitor}"[:_LONGEST]


def schedules_of(project: Project) -> dict[str, ScheduleSection]:
    """Those of the file; then one for each monitor that none of them runs."""
    run = {one.job for one in project.schedules.values()}
    derived = {
        schedule_of(name): ScheduleSection(job=f"monitor:{name}", every=section.every, upstream=False)
        for name, section in monitors_of(project).items()
        if f"monitor:{name}" not in run
    }
    return {**derived, **project.schedules}
