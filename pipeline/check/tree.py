"""The plan of jobs as a tree: what is made, from what, and when."""

from __future__ import annotations

from typing import Any

from pipeline.config import Project
from pipeline.config.base import duration_text
from pipeline.config.jobs import Job, jobs_of
from pipeline.config.schedules import ScheduleSection
from pipeline.config.watched import schedules_of


def jobs_as_json(project: Project) -> list[dict[str, Any]]:
    return [
        {"name": job.name, "kind": job.kind, "upstream": list(job.upstream), "schedules": _schedules(project, job.name)}
        for job in jobs_of(project).values()
    ]


def draw(project: Project) -> str:
    """Jobs nothing else builds upon are the roots; a job that is drawn already is only named again."""
    jobs = jobs_of(project)
    used = {upstream for job in jobs.values() for upstream in job.upstream}
    lines: list[str] = [project.project.name]
    drawn: set[str] = set()
    roots = [job for job in jobs.values() if job.name not in used]
    for number, root in enumerate(roots):
        lines += _branch(project, jobs, root, "", number == len(roots) - 1, drawn)
    return "\n".join(lines)


def _branch(project: Project, jobs: dict[str, Job], job: Job, indent: str, last: bool, drawn: set[str]) -> list[str]:
    again = job.name in drawn and bool(job.upstream)
    lines = [f"{indent}{'└── ' if last else '├── '}{_label(project, job)}{' (above)' if again else ''}"]
    if not again:
        drawn.add(job.name)
        below = indent + ("    " if last else "│   ")
        for number, name in enumerate(job.upstream):
            lines += _branch(project, jobs, jobs[name], below, number == len(job.upstream) - 1, drawn)
    return lines


def _label(project: Project, job: Job) -> str:
    parts = [job.name]
    if job.kind == "etl" and project.datasets[job.target].source is not None:
        source = project.datasets[job.target].source or ""
        parts.append(f"← {project.sources[source].kind} {source}")
    parts += [f"⏱ {when}" for when in _schedules(project, job.name)]
    return "  ".join(parts)


def _schedules(project: Project, job: str) -> list[str]:
    return [f"{name}: {_when(s)}" for name, s in schedules_of(project).items() if s.job == job]


def _when(schedule: ScheduleSection) -> str:
    if schedule.cron is not None:
        return f"{schedule.cron} {schedule.timezone}"
    if schedule.every is not None:
        return f"every {duration_text(schedule.every)}"
    return f"at {schedule.at}"
