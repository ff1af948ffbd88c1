"""What wants a person: a pure judgement over what the record shows, each with the command that acts on it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from store.wire import AliasView, NeedView, RunView, ScheduleView, VersionView
from store.words import RunState

_BAD: Final[frozenset[RunState]] = frozenset({"failed", "lost"})
"""A run that failed because of its upstream is not named: its upstream is."""


def needs(
    *,
    last: Sequence[RunView],
    schedules: Sequence[ScheduleView],
    newest: Sequence[VersionView],
    production: Sequence[AliasView],
    was_live: Collection[tuple[str, int]],
    degraded: str | None,
) -> list[NeedView]:
    """What wants a person, most pressing first.

    `last`: each job's newest run; `newest`: each model's newest version; `was_live`: (model, version) that were ever
    in production.
    """
    found = [NeedView(subject="daemon", message=degraded, command="trainshed doctor")] if degraded else []
    found += _of_runs(last)
    found += _of_schedules(schedules)
    found += _of_versions(newest, {alias.model: alias.version for alias in production}, was_live)
    return found


def _of_runs(last: Sequence[RunView]) -> Iterator[NeedView]:
    for run in last:
        command = f"trainshed runs show {run.id}"
        if run.state in _BAD:
            why = f": {run.fault.what}" if run.fault else f": {run.reason}" if run.reason else ""
            message = f"{run.job} {run.state}{why}"
            yield NeedView(subject=f"run {run.id}", message=message, command=command)
        elif run.stalled:
            message = f"{run.job} has said nothing for longer than its stall_timeout"
            yield NeedView(subject=f"run {run.id}", message=message, command=command)


def _of_schedules(schedules: Sequence[ScheduleView]) -> Iterator[NeedView]:
    for schedule in schedules:
        subject = f"schedule {schedule.name}"
        if schedule.broken:
            yield NeedView(subject=subject, message=f"{subject}: {schedule.broken}", command="trainshed check")
        elif not schedule.enabled and schedule.failures:
            message = f"{subject} is paused: {schedule.paused_reason}"
            yield NeedView(subject=subject, message=message, command=f"trainshed schedules resume {schedule.name}")


def _of_versions(
    newest: Sequence[VersionView], live: dict[str, int], was_live: Collection[tuple[str, int]]
) -> Iterator[NeedView]:
    """One that was live and is not any more was taken back by somebody: it waits for nobody."""
    for version in newest:
        passed = version.verdict is not None and version.verdict.passed
        taken_back = (version.model, version.version) in was_live
        if passed and not taken_back and version.version > live.get(version.model, 0):
            name = f"{version.model} {version.version}"
            message = f"version {version.version} of {version.model} passed its gates and waits"
            yield NeedView(subject=name, message=message, command=f"trainshed plan {name}")
