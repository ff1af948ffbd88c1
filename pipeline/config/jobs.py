"""The jobs of a project: derived, not written down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pipeline.config.project import Project
from pipeline.config.schedules import JobSection
from pipeline.config.watched import monitors_of, served
from store.words import JobKind

MONITORS: Final = "monitors"
"""The pool of monitors that name none: their runs are short, and in that of trainings they would wait for hours."""


@dataclass(frozen=True, kw_only=True)
class Job:
    name: str
    kind: JobKind
    target: str
    upstream: tuple[str, ...]
    """Jobs whose result it reads, nearest first."""
    settings: JobSection


def jobs_of(project: Project) -> dict[str, Job]:
    """All jobs, each after everything it builds upon."""
    made: dict[str, Job] = {}

    def add(kind: JobKind, target: str, upstream: list[str]) -> None:
        name = f"{kind}:{target}" if target else kind
        made[name] = Job(
            name=name, kind=kind, target=target, upstream=tuple(upstream), settings=_settings(project, name, kind)
        )

    for name in _inputs_first(project):
        dataset = project.datasets[name]
        needs = {*dataset.inputs, *(c.dataset for c in dataset.checks if c.kind == "foreign_key")}
        add("etl", name, [f"etl:{n}" for n in sorted(needs - {name})])
    for name, view in project.features.items():
        add("features", name, [f"etl:{i}" for i in view.inputs])
    for name, model in project.models.items():
        views = dict.fromkeys(f"features:{join.view}" for join in model.views)
        add("train", name, [f"etl:{model.dataset}", *views])
        add("evaluate", name, [])
    for name, section in project.predictions.items():
        views = dict.fromkeys(f"features:{join.view}" for join in project.models[section.model].views)
        add("batch-predict", name, [f"etl:{section.dataset}", *views])
    for name, monitor in monitors_of(project).items():
        add("monitor", name, [] if monitor.dataset is None else [f"etl:{monitor.dataset}"])
    add("backup", "", [])
    return made


def _settings(project: Project, name: str, kind: JobKind) -> JobSection:
    found = project.jobs.get(name, JobSection())
    if kind == "monitor" and "pool" not in found.model_fields_set:
        return found.model_copy(update={"pool": MONITORS})
    return found


def pools_of(project: Project) -> dict[str, int]:
    """Pool → slots: how many runs at once."""
    watched = {MONITORS: 1} if project.monitors or served(project) else {}
    return {"default": 2, **watched, **project.daemon.pools}


def with_upstream(jobs: dict[str, Job], name: str) -> list[Job]:
    """The job and everything it builds upon, upstream first, each once."""
    wanted: dict[str, None] = {}

    def visit(job: str) -> None:
        for upstream in jobs[job].upstream:
            visit(upstream)
        wanted.setdefault(job)

    visit(name)
    return [jobs[job] for job in wanted]


def _inputs_first(project: Project) -> list[str]:
    order: dict[str, None] = {}

    def visit(name: str) -> None:
        dataset = project.datasets[name]
        referenced = [c.dataset for c in dataset.checks if c.kind == "foreign_key" and c.dataset != name]
        for upstream in (*dataset.inputs, *referenced):
            visit(upstream)
        order.setdefault(name)

    for name in project.datasets:
        visit(name)
    return list(order)
