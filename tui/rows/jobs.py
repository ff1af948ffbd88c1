"""Jobs and their schedules as rows, the queue, and the facts of a job and of a schedule. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from tui.rows.words import STATES, clock, since_epoch, span, stamp
from tui.table.column import Cell, Column, Frame
from tui.text import Line, heading, line, pairs

if TYPE_CHECKING:
    from store.wire import JobView, PastRun, QueuedView, ScheduleView, TimetableView

STRIP: Final = 8
"""Runs in a strip."""


@dataclass(frozen=True)
class Entry:
    """A job, with one of the schedules that ask for it; a job that nothing asks for stands alone."""

    job: JobView
    time: TimetableView | None = None

    @property
    def key(self) -> tuple[str, str]:
        return self.job.name, "" if self.time is None else self.time.schedule.name

    @property
    def schedule(self) -> ScheduleView | None:
        return None if self.time is None else self.time.schedule


def entries(jobs: Sequence[JobView], times: Sequence[TimetableView]) -> list[Entry]:
    """In the project's order: what is upstream comes first. Schedules of jobs that do not exist any more come last."""
    asking: dict[str, list[TimetableView]] = {}
    for time in times:
        asking.setdefault(time.schedule.job, []).append(time)
    found = [entry for job in jobs for entry in _of_job(job, asking.pop(job.name, []))]
    return [*found, *(Entry(_gone(time), time) for left in asking.values() for time in left)]


def _of_job(job: JobView, times: Sequence[TimetableView]) -> Iterable[Entry]:
    return [Entry(job, time) for time in times] or [Entry(job)]


def _gone(time: TimetableView) -> JobView:
    from store.wire import JobView

    name = time.schedule.job
    kind, _, target = name.partition(":")
    known = kind if kind in {"etl", "features", "train", "evaluate", "batch-predict", "monitor", "backup"} else "etl"
    return JobView.model_validate({"name": name, "kind": known, "target": target, "upstream": [], "pool": ""})


def columns() -> list[Column[Entry]]:
    return [
        Column(key="job", title="job", width=16, grows=True, draw=lambda e, _: Cell(e.job.name, "strong")),
        Column(key="schedule", title="schedule", width=8, draw=lambda e, _: Cell(_schedule_name(e))),
        Column(key="state", title="state", width=9, draw=lambda e, _: standing(e.schedule)),
        Column(key="next", title="next", width=12, draw=lambda e, f: Cell(next_here(e.schedule, f)), order=_soon),
        Column(key="utc", title="UTC", width=6, draw=lambda e, f: Cell(next_utc(e.schedule, f), "dim"), order=_soon),
        Column(key="last", title="last runs", width=9, sorts=False, draw=lambda e, _: strip(e.job.history)),
        Column(
            key="takes",
            title="takes",
            width=6,
            right=True,
            draw=lambda e, _: Cell(span(e.job.expected_seconds) if e.job.expected_seconds else ""),
            value=lambda e: e.job.expected_seconds,
        ),
        Column(key="why", title="why", width=24, extra=True, draw=lambda e, _: Cell(why(e), "dim")),
        Column(key="pool", title="pool", width=8, extra=True, draw=lambda e, _: Cell(e.job.pool, "dim")),
    ]


def queue_columns() -> list[Column[QueuedView]]:
    return [
        Column(key="job", title="queue", width=18, draw=lambda q, _: Cell(q.run.job, "strong")),
        _number("place", "place", 5, lambda q: q.place),
        _number("id", "run", 6, lambda q: q.run.id),
        Column(
            key="since",
            title="since",
            width=12,
            draw=lambda q, f: Cell(clock(q.run.created_at, f), "dim"),
            order=lambda q: since_epoch(q.run.created_at),
        ),
        Column(key="why", title="waits because", width=24, grows=True, sorts=False, draw=lambda q, _: Cell(q.why)),
    ]


def _number(key: str, title: str, width: int, value: Callable[[QueuedView], int]) -> Column[QueuedView]:
    return Column(key=key, title=title, width=width, right=True, draw=lambda q, _: Cell(str(value(q))), order=value)


def standing(schedule: ScheduleView | None) -> Cell:
    """Whether it fires by itself."""
    if schedule is None:
        return Cell("· by hand", "dim")
    if schedule.broken:
        return Cell("✘ broken", "bad")
    return Cell("▶ on", "good") if schedule.enabled else Cell("■ paused", "warn")


def why(entry: Entry) -> str:
    """The reason beside the state: of a pause, a fault, or the last run."""
    schedule = entry.schedule
    if schedule is not None and (schedule.broken or schedule.paused_reason):
        return schedule.broken or schedule.paused_reason
    return entry.job.history[0].reason if entry.job.history else ""


def next_here(schedule: ScheduleView | None, frame: Frame) -> str:
    moment = _next(schedule)
    return "-" if moment is None else clock(moment, frame)


def next_utc(schedule: ScheduleView | None, frame: Frame) -> str:
    """Hour and minute; the day is the local one, or its neighbour."""
    moment = _next(schedule)
    return "" if moment is None else f"{moment.astimezone(UTC):%H:%M}Z"


def strip(history: Sequence[PastRun]) -> Cell:
    """A glyph a run, the newest to the right; as bad as the newest is."""
    shown = list(reversed(history[:STRIP]))
    if not shown:
        return Cell("never run", "dim")
    return Cell("".join(STATES[run.state].text[0] for run in shown), STATES[shown[-1].state].tone)


def facts(entry: Entry, frame: Frame) -> list[Line]:
    """One job and its schedule in short, for the pane beside the list."""
    job = entry.job
    lines = [line((job.name, "strong")), line(), *job_facts(job)]
    if entry.time is not None:
        lines += [line(), *schedule_facts(entry.time, frame)]
    if job.history:
        last = job.history[0]
        lines += [
            line(),
            heading("last run"),
            line(f"run {last.id}  ", STATES[last.state], f"  {clock(last.at, frame)}"),
        ]
        lines += [line(last.reason)] if last.reason else []
    return lines


def job_facts(job: JobView) -> list[Line]:
    return pairs(
        [
            ("pool", job.pool),
            ("builds upon", ", ".join(job.upstream) or "nothing"),
            ("takes", f"about {span(job.expected_seconds)}" if job.expected_seconds else "not known yet"),
            ("asked for by", ", ".join(job.schedules) or "nobody but an operator"),
        ]
    )


def schedule_of(time: TimetableView) -> list[Line]:
    """What it runs."""
    takes = f", about {span(time.expected_seconds)}" if time.expected_seconds else ""
    return [line(("runs  ", "dim"), (time.schedule.job, "strong"), takes)]


def schedule_facts(time: TimetableView, frame: Frame) -> list[Line]:
    """When it fires, what it does when times collide or were missed, and its next times in both clocks."""
    schedule = time.schedule
    lines = [line(("schedule ", "strong"), (schedule.name, "strong"), "  ", standing(schedule))]
    reason = schedule.broken or schedule.paused_reason
    lines += [line((reason, "bad" if schedule.broken else "warn"))] if reason else []
    lines += pairs(
        [
            ("when", f"{schedule.spec} {schedule.timezone}"),
            ("overlap", schedule.overlap.replace("_", " ")),
            ("missed times", {"none": "are left out", "last": "the last runs", "all": "all run"}[schedule.catch_up]),
            ("failed", _failed(schedule.failures)),
            ("last time", stamp(schedule.last_at, frame)),
        ]
    )
    if time.coming:
        lines += [line(), heading("to come"), *both_clocks(time.coming, frame)]
    return lines


def _failed(times: int) -> str:
    return "not the last time" if not times else "the last time" if times == 1 else f"{times} times in a row"


def both_clocks(moments: Iterable[datetime], frame: Frame) -> list[Line]:
    """Here and in UTC; once where that is the same."""
    return [
        line("  ", stamp(at, frame))
        if not at.astimezone(frame.zone).utcoffset()
        else line("  ", stamp(at, frame), (f"   {at.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z", "dim"))
        for at in moments
    ]


def past_columns() -> list[Column[PastRun]]:
    return [
        Column(key="id", title="last runs", width=9, draw=lambda run, _: Cell(str(run.id)), order=lambda run: run.id),
        Column(key="state", title="state", width=13, draw=lambda run, _: STATES[run.state]),
        Column(
            key="at",
            title="at",
            width=12,
            draw=lambda run, f: Cell(clock(run.at, f)),
            order=lambda run: since_epoch(run.at),
        ),
        Column(
            key="took",
            title="took",
            width=8,
            right=True,
            draw=lambda run, _: Cell(span(run.took_seconds)),
            value=lambda run: run.took_seconds,
        ),
        Column(key="reason", title="why", width=20, grows=True, sorts=False, draw=lambda run, _: Cell(run.reason)),
    ]


def tree(name: str, jobs: Mapping[str, JobView]) -> list[Line]:
    """A job and everything it builds upon, each with how its last run went; what was shown already is not unfolded."""
    shown: set[str] = set()

    def branch(job: str, indent: str, joint: str) -> list[Line]:
        view = jobs.get(job)
        last = view.last if view is not None else None
        state = STATES[last.state] if last else Cell("never run" if view else "not of this project", "dim")
        again = job in shown and view is not None and bool(view.upstream)
        lines = [line((indent + joint, "dim"), job, "  ", state, (" …" if again else "", "dim"))]
        if again or view is None:
            return lines
        shown.add(job)
        below = indent + ("" if not joint else "   " if joint.startswith("└") else "│  ")
        for number, upstream in enumerate(view.upstream):
            lines += branch(upstream, below, "└─ " if number == len(view.upstream) - 1 else "├─ ")
        return lines

    return branch(name, "", "")


def _schedule_name(entry: Entry) -> str:
    return "" if entry.time is None else entry.time.schedule.name


def _soon(entry: Entry) -> float | None:
    return since_epoch(_next(entry.schedule))


def _next(schedule: ScheduleView | None) -> datetime | None:
    if schedule is None or schedule.broken or not schedule.enabled:
        return None
    return schedule.next_at
