"""The overview as rows: production, what runs, what comes, the queue, the latest events; and who gets how much room."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from tui.rows import needs
from tui.rows.runs import progress, took
from tui.rows.words import STATES, bar, clock, count, figure, since_epoch, span
from tui.table.column import Cell, Column, Frame

if TYPE_CHECKING:
    from store.wire import (
        AliasView,
        ChangesView,
        EventView,
        Interval,
        NeedView,
        RunView,
        ScheduleView,
        StatusView,
    )

    Row = NeedView | AliasView | RunView | ScheduleView | EventView | None
    Metrics = Mapping[tuple[str, int], tuple[str, Interval | None]]

R = TypeVar("R")


def production_columns(metrics: Metrics) -> list[Column[AliasView]]:
    """`metrics`: (model, version) → its objective and what it reached, filled as answers come."""
    return [
        Column(key="model", title="in production", width=16, draw=lambda a, _: Cell(a.model, "strong")),
        Column(
            key="version",
            title="version",
            width=7,
            draw=lambda a, _: Cell(f"v{a.version}"),
            order=lambda a: a.version,
        ),
        _moment("since", "since", lambda a: a.since),
        Column(key="actor", title="by", width=7, draw=lambda a, _: Cell(a.actor, "dim")),
        Column(key="metric", title="reached", width=24, grows=True, sorts=False, draw=lambda a, _: reached(a, metrics)),
        Column(key="reason", title="why", width=30, extra=True, draw=lambda a, _: Cell(a.reason, "dim")),
    ]


def reached(alias: AliasView, metrics: Metrics) -> Cell:
    """The model's objective on the test rows, with its interval."""
    name, value = metrics.get((alias.model, alias.version), ("", None))
    if value is None:
        return Cell("")
    return Cell(f"{name} {figure(value.value)} ({value.low:.3g}–{value.high:.3g})")


def running_columns() -> list[Column[RunView]]:
    return [
        Column(key="job", title="running", width=16, draw=lambda run, _: Cell(run.job, "strong")),
        Column(key="id", title="run", width=7, draw=lambda run, _: Cell(str(run.id)), order=lambda run: run.id),
        Column(key="state", title="state", width=12, draw=lambda run, _: STATES[run.state]),
        Column(key="progress", title="progress", width=18, grows=True, sorts=False, draw=going),
        Column(
            key="took",
            title="since",
            width=12,
            right=True,
            draw=lambda run, f: Cell(took(run, f), "dim"),
            order=lambda run: since_epoch(run.started_at),
        ),
    ]


def going(run: RunView, frame: Frame) -> Cell:
    """How far, and how long it will still take, before how much of what that is."""
    if run.stalled or run.state != "running" or run.done is None or not run.total:
        return progress(run, frame)
    left = f" {span(run.eta_seconds)} left" if run.eta_seconds is not None else ""
    share = run.done / run.total
    return Cell(f"{bar(share, 8)} {share:.0%}{left}  {count(run.done)} of {count(run.total)} {run.unit}".rstrip())


def next_columns() -> list[Column[ScheduleView]]:
    return [
        Column(key="name", title="next", width=16, draw=lambda s, _: Cell(s.name, "strong")),
        _moment("next", "at", lambda s: s.next_at),
        Column(key="job", title="job", width=18, grows=True, draw=lambda s, _: Cell(s.job)),
        Column(
            key="last",
            title="last time",
            width=12,
            right=True,
            draw=lambda s, f: Cell(clock(s.last_at, f), "dim"),
            order=lambda s: since_epoch(s.last_at),
        ),
    ]


def queue_columns() -> list[Column[RunView]]:
    return [
        Column(key="job", title="queue", width=16, draw=lambda run, _: Cell(run.job, "strong")),
        Column(
            key="id", title="run", width=5, right=True, draw=lambda run, _: Cell(str(run.id)), order=lambda run: run.id
        ),
        Column(key="why", title="because", width=17, grows=True, sorts=False, draw=progress),
    ]


def event_columns() -> list[Column[EventView]]:
    return [
        Column(key="at", title="latest", width=8, draw=lambda e, f: Cell(_short(e, f), "dim"), order=lambda e: e.id),
        Column(key="what", title="", width=30, grows=True, sorts=False, draw=lambda e, _: Cell(e.message)),
    ]


def _moment(key: str, title: str, at: Callable[[R], datetime | None]) -> Column[R]:
    return Column(
        key=key,
        title=title,
        width=12,
        draw=lambda row, f: Cell(clock(at(row), f)),
        order=lambda row: since_epoch(at(row)),
    )


def _short(event: EventView, frame: Frame) -> str:
    """The time of today, the day of before, the month of another year."""
    here, now = event.at.astimezone(frame.zone), frame.now.astimezone(frame.zone)
    if here.date() == now.date():
        return f"{here:%H:%M:%S}"
    return f"{here:%b %d}" if here.year == now.year else f"{here:%b %Y}"


def acts(row: Row) -> frozenset[str]:
    """The actions whose keys mean something on a row."""
    if row is None:  # as on the first picture, which must not wait for what the views need
        return frozenset()
    from store.wire import AliasView, NeedView, RunView, ScheduleView

    match row:
        case NeedView():
            return frozenset({needs.act(row).action})
        case AliasView():
            return frozenset({"roll_back"})
        case RunView():
            return frozenset({"cancel"})
        case ScheduleView():
            return frozenset({"pause", "trigger"})
        case _:
            return frozenset()


def target(row: Row) -> tuple[str, ...]:
    """The words that open what a row is about; empty for what has no screen of its own."""
    from store.wire import AliasView, EventView, NeedView, RunView, ScheduleView

    match row:
        case NeedView():
            return needs.opens(row)
        case EventView():
            return needs.target(row.subject)
        case AliasView():
            return "version", row.model, str(row.version)
        case RunView():
            return "run", str(row.id)
        case ScheduleView():
            return "schedule", row.name
        case _:
            return ()


def run_number(row: Row) -> int | None:
    """The run that a row is about."""
    words = target(row)
    return int(words[1]) if words[:1] == ("run",) else None


def schedule_name(row: Row) -> str | None:
    words = target(row)
    return words[1] if words[:1] == ("schedule",) else None


def job_name(row: Row) -> str | None:
    """The job that `T` on a row runs."""
    from store.wire import NeedView, ScheduleView

    match row:
        case ScheduleView():
            return row.job
        case NeedView() if row.target.kind == "job":
            return row.target.name
        case _:
            return None


def alert_number(row: Row) -> int | None:
    """The alert that `A` on a row acknowledges."""
    from store.wire import NeedView

    return row.target.number if isinstance(row, NeedView) and row.target.kind == "alert" else None


def command(row: Row) -> str:
    """The shell command that shows what a row is about."""
    from store.wire import NeedView

    if isinstance(row, NeedView):
        return row.command
    match target(row):
        case "run", number:
            return f"trainshed runs show {number}"
        case "version", model, version:
            return f"trainshed versions {model} show {version}"
        case "schedule", name:
            return f"trainshed schedules next {name}"
        case _:
            return "trainshed status"


def name(row: Row) -> str:
    """As the history calls it."""
    from store.wire import EventView, NeedView

    if isinstance(row, NeedView | EventView):
        return row.subject
    kind, *words = target(row) or ("",)
    return " ".join(words if kind == "version" else (kind, *words))


def only_progress(changes: ChangesView, status: StatusView) -> bool:
    """Whether news is no more than that known runs went on: nothing else on the screen can have changed."""
    states = {run.id: run.state for run in (*status.running, *status.waiting)}
    others = (changes.events, changes.models, changes.versions, changes.schedules, changes.datasets, changes.alerts)
    return not any(others) and all(states.get(run.id) == run.state for run in changes.runs)
