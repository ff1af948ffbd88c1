"""Names that a project mentions and does not define, or defines twice."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from pipeline.config.jobs import pools_of
from pipeline.config.watched import served

if TYPE_CHECKING:
    from pipeline.config.project import Project


def find_dangling(project: Project) -> list[str]:
    """One sentence for each unresolved name, with the nearest known one; cycles among datasets too."""
    return [*_unknown(project), *_cycles(project), *_job_names(project), *_shared_names(project)]


def _shared_names(project: Project) -> Iterator[str]:
    for name in project.features.keys() & project.datasets.keys():
        yield f"features.{name}: a dataset has this name too, and both keep versions under it"
    for name in project.predictions.keys() & (project.datasets.keys() | project.features.keys()):
        yield f"predictions.{name}: a dataset or feature view has this name too, and both keep versions under it"
    for name, monitor in project.monitors.items():
        if name in project.models and monitor.model != name and all(m.model != name for m in project.monitors.values()):
            yield f"monitors.{name}: model {name} is watched under this name, and this watches something else"


def nearest(name: str, known: Collection[str]) -> str:
    """`, did you mean "x"?`, or the known names, or nothing."""
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    if close:
        return f", did you mean {close[0]!r}?"
    return f", known: {', '.join(sorted(known))}" if known else ", none is defined"


def _unknown(project: Project) -> Iterator[str]:
    def missing(where: str, what: str, name: str, known: Collection[str]) -> Iterator[str]:
        if name not in known:
            yield f"{where}: no {what} {name!r}{nearest(name, known)}"

    for name, dataset in project.datasets.items():
        if dataset.source is not None:
            yield from missing(f"datasets.{name}.source", "source", dataset.source, project.sources)
        for given in dataset.inputs:
            yield from missing(f"datasets.{name}.inputs", "dataset", given, project.datasets)
        for check in dataset.checks:
            if check.kind == "foreign_key":
                yield from missing(f"datasets.{name}.checks", "dataset", check.dataset, project.datasets)
    for name, view in project.features.items():
        for given in view.inputs:
            yield from missing(f"features.{name}.inputs", "dataset", given, project.datasets)
    for name, model in project.models.items():
        yield from missing(f"models.{name}.dataset", "dataset", model.dataset, project.datasets)
        for join in model.views:
            yield from missing(f"models.{name}.views", "feature view", join.view, project.features)
    for name, section in project.predictions.items():
        yield from missing(f"predictions.{name}.model", "model", section.model, project.models)
        yield from missing(f"predictions.{name}.dataset", "dataset", section.dataset, project.datasets)
    for name, experiment in project.experiments.items():
        yield from missing(f"experiments.{name}.model", "model", experiment.model, project.models)
    for name, monitor in project.monitors.items():
        if monitor.model is not None:
            yield from missing(f"monitors.{name}.model", "model", monitor.model, project.models)
        if monitor.dataset is not None:
            yield from missing(f"monitors.{name}.dataset", "dataset", monitor.dataset, project.datasets)
            table = project.datasets.get(monitor.dataset)
            if monitor.time is None and table is not None and table.time is None:
                yield f"monitors.{name}.time: {monitor.dataset} has no `time`: name the column with a row's moment"
    for model_name in project.serving.models:
        yield from missing("serving.models", "model", model_name, project.models)


def _cycles(project: Project) -> Iterator[str]:
    seen: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> Iterator[str]:
        if name in path:
            yield f"datasets.{name}: made from itself: {' → '.join((*path[path.index(name) :], name))}"
        elif name in project.datasets and name not in seen:
            seen.add(name)
            dataset = project.datasets[name]
            referenced = [c.dataset for c in dataset.checks if c.kind == "foreign_key" and c.dataset != name]
            for given in (*dataset.inputs, *referenced):
                yield from visit(given, (*path, name))

    for name in project.datasets:
        yield from visit(name, ())


def _job_names(project: Project) -> Iterator[str]:
    jobs = {
        *(f"etl:{n}" for n in project.datasets),
        *(f"features:{n}" for n in project.features),
        *(f"train:{n}" for n in project.models),
        *(f"evaluate:{n}" for n in project.models),
        *(f"batch-predict:{n}" for n in project.predictions),
        *(f"monitor:{n}" for n in (*project.monitors, *served(project))),
        "backup",
    }
    for name, schedule in project.schedules.items():
        if schedule.job not in jobs:
            yield f"schedules.{name}.job: no job {schedule.job!r}{nearest(schedule.job, jobs)}"
    for name, settings in project.jobs.items():
        if name not in jobs:
            yield f"jobs.{name}: no job {name!r}{nearest(name, jobs)}"
        if settings.pool not in (pools := pools_of(project)):
            yield f"jobs.{name}.pool: no pool {settings.pool!r}{nearest(settings.pool, pools)}"
