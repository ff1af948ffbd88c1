"""What screens show of a moment in the past, and what they say of that which is not kept. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from store.wire import BoxHistoryView, BoxView, MomentView, QueuedView, RunThenView, RunView
    from store.words import JobKind

NOT_MEASURED: Final = "no measurement of then is left: the box is remembered for two days"
LOG: Final = "When a line was written is not kept: this is the log as it is now"
RUN: Final = "How far it was then, and why, is not kept; all else here is as it was"
JOB: Final = "What a job is comes from the project file of now; its runs and its schedules' pauses are as they were"
SCHEDULE: Final = "What a schedule is comes from the project file of now; its runs and pauses are as they were"
COMPARE: Final = "Side by side, runs stand as they are now; each run's own screen has what was known of it then"
DOCTOR: Final = "The doctor looks at what is so now, whatever time is shown"
SYSTEM: Final = "Of the machine room only the box is recorded over time: no processes, devices or sizes"


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


def box_then(now: BoxView, history: BoxHistoryView) -> BoxView | None:
    """The box as it was last measured by the end of a history, its size as now; None where nothing is left of then."""
    point = next(reversed(history.points), None)
    if point is None or point.disk_free is None:
        return None
    return now.model_copy(
        update={
            "cpu_percent": point.cpu_percent,
            "memory_used": point.memory_used,
            "disk_free": point.disk_free,
            **{name: getattr(point, name) for name in ("received", "sent", "read", "written")},
            # Of several GPUs only the memory of all together is kept.
            "gpus": [gpu.model_copy(update={"memory_used": point.gpu_memory or 0}) for gpu in now.gpus]
            if len(now.gpus) == 1
            else [],
        }
    )


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
