"""What screens show of a moment in the past: runs as they were then, what needed somebody then. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from store.wire import JobView, MomentView, NeedView, PastRun, QueuedView, RunThenView, RunView
    from store.words import JobKind

_BAD: Final = frozenset({"failed", "lost"})
NOT_KEPT: Final = "is not recorded over time: Esc returns to now"


def run_then(run: RunThenView) -> RunView:
    """As the lists draw runs."""
    from store.wire import RunView

    kind, _, target = run.job.partition(":")
    return RunView(
        id=run.id,
        job=run.job,
        kind=cast("JobKind", kind),
        target=target,
        state=run.state,
        reason=run.message,
        trigger=run.trigger,
        actor=run.actor,
        priority=0,
        pool="",
        attempt=run.attempt,
        max_attempts=run.attempt,
        created_at=run.created_at,
        started_at=run.since if run.state in {"starting", "running"} else None,
        rev=0,
    )


def needs_then(moment: MomentView) -> list[NeedView]:
    """The jobs whose last run by then had failed or was lost."""
    from store.wire import NeedTarget, NeedView

    return [
        NeedView(
            subject=f"run {run.id}",
            severity="fail",
            message=run.message,
            command=f"trainshed runs show {run.id}",
            action="look",
            target=NeedTarget(kind="run", name=run.job, number=run.id),
            at=run.since,
        )
        for run in moment.last
        if run.state in _BAD
    ]


def jobs_then(jobs: Sequence[JobView], moment: MomentView) -> list[JobView]:
    """With the runs that they had had by then; what a job takes and who asks for it is as now."""
    last = {run.job: run for run in moment.last}
    return [
        job.model_copy(update={"history": _history(job, moment.at, last.get(job.name)), "expected_seconds": None})
        for job in jobs
    ]


def queue_then(moment: MomentView) -> list[QueuedView]:
    """In the order in which they were asked for."""
    from store.wire import QueuedView

    return [
        QueuedView(
            place=place,
            run=run_then(run),
            wait="line",
            why=run.message,
            waited_seconds=(moment.at - run.created_at).total_seconds(),
        )
        for place, run in enumerate(moment.queued, start=1)
    ]


def _history(job: JobView, at: datetime, last: RunThenView | None) -> list[PastRun]:
    """Those of the job's last runs that had ended by then, after the one that was going on."""
    from store.wire import PastRun

    ended = [run for run in job.history if run.at <= at and (last is None or run.id < last.id)]
    if last is None:
        return ended
    return [PastRun(id=last.id, state=last.state, took_seconds=None, at=last.since, reason=last.message), *ended]


def created_by(text: str, moment: datetime | None) -> str:
    """The filter of the runs that had been asked for by a moment."""
    return text if moment is None else f"{text} created<={instant(moment)}".strip()


def instant(moment: datetime) -> str:
    """As a filter reads it, down to the microsecond."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def runs_at(runs: Iterable[RunView], moment: datetime) -> list[RunView]:
    """Those that had been asked for, each as it was."""
    return [then for run in runs if (then := state_at(run, moment)) is not None]


def state_at(run: RunView, moment: datetime) -> RunView | None:
    """A run as it was at a moment, as far as its own times tell; None if nobody had asked for it yet.

    A run that was tried again counts as one that was going on between its first start and its last end.
    """
    if run.created_at > moment:
        return None
    if run.ended_at is not None and run.ended_at <= moment:
        return run
    begun = run.started_at is not None and run.started_at <= moment
    return run.model_copy(
        update={
            "state": "running" if begun else "queued",
            "started_at": run.started_at if begun else None,
            "ended_at": None,
            "reason": "",
            "fault": None,
            "stalled": False,
            "done": None,
            "total": None,
            "eta_seconds": None,
            "message": "",
        }
    )
