"""From a job that is asked for to the rows of the queue: the job, and with `upstream` everything it builds upon."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pipeline.config import Project
from pipeline.config.jobs import Job, with_upstream
from pipeline.config.references import nearest
from pipeline.training.overrides import with_overrides
from store.errors import NotFound, ProjectError
from store.queue import NewRun
from store.words import Trigger


@dataclass(frozen=True, kw_only=True)
class Order:
    """One request for a job, by a person or by a schedule."""

    job: str
    trigger: Trigger
    actor: str
    params: Mapping[str, Any] = field(default_factory=dict)
    upstream: bool = False
    force: bool = False
    priority: int = 0
    """Added to the priority of each job's settings."""
    schedule: str | None = None
    scheduled_for: int | None = None
    not_before: int | None = None


def new_runs(jobs: Mapping[str, Job], order: Order) -> list[NewRun]:
    """Upstream first; the last one is what was asked for. Raises NotFound naming the nearest job."""
    if order.job not in jobs:
        raise NotFound(
            f"there is no job {order.job!r}{nearest(order.job, jobs)}",
            where="trainshed.toml",
            remedy="`trainshed check` prints the jobs of the project",
        )
    wanted = with_upstream(dict(jobs), order.job) if order.upstream else [jobs[order.job]]
    names = {job.name for job in wanted}
    return [_new_run(job, order, tuple(name for name in job.upstream if name in names)) for job in wanted]


def _new_run(job: Job, order: Order, depends_on: tuple[str, ...]) -> NewRun:
    asked, settings = job.name == order.job, job.settings
    return NewRun(
        job=job.name,
        kind=job.kind,
        target=job.target,
        trigger=order.trigger if asked else "upstream",
        actor=order.actor,
        params=order.params if asked else {},
        force=order.force and asked,
        priority=settings.priority + order.priority,
        pool=settings.pool,
        slots=settings.slots,
        max_attempts=settings.retries + 1,
        retry_delay_s=settings.retry_delay.total_seconds(),
        timeout_s=settings.timeout.total_seconds() if settings.timeout is not None else None,
        stall_s=settings.stall_timeout.total_seconds(),
        not_before=order.not_before,
        schedule=order.schedule if asked else None,
        scheduled_for=order.scheduled_for if asked else None,
        depends_on=depends_on,
    )


_SETTINGS: Final[Mapping[str, Sequence[str]]] = {"evaluate": ("version",), "backup": ("to",)}
"""Kind of job → the settings that a single run of it takes; training takes all of its model's."""


def check_params(project: Project, job: Job, params: Mapping[str, Any]) -> None:
    """Whether a run of the job can be given these settings. Raises ProjectError, before anything is queued."""
    if job.kind == "train":
        with_overrides(project.models[job.target], params)
        return
    known = _SETTINGS.get(job.kind, ())
    for name in params:
        if name not in known:
            raise ProjectError(
                f"{job.name} takes no setting {name!r}{nearest(name, known) if known else ''}",
                where=f"--set {name}",
                remedy="settings of a single run are for train:MODEL; change trainshed.toml for all others",
            )
    to = params.get("to")
    if to is not None and not (isinstance(to, str) and Path(to).is_absolute()):
        raise ProjectError(
            f"a backup goes to a folder named from the root, not to {to!r}",
            where="--set to",
            remedy="`trainshed backup DEST` takes any path",
        )
