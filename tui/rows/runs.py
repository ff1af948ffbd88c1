"""Runs as rows, and the facts of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tui.rows.words import STATES, bar, clock, count, figure, span, spark, stamp
from tui.table.column import Cell, Column, Frame
from tui.text import Line, heading, line, pairs

if TYPE_CHECKING:
    from store.wire import RunView, SparkView

FAULTS: Final = "state=failed,lost,upstream_failed"


def columns(sparks: dict[int, SparkView]) -> list[Column[RunView]]:
    """`sparks`: run → its objective, filled as rows come into view."""
    return [
        Column(key="id", title="run", width=6, right=True, draw=lambda run, _: Cell(str(run.id))),
        Column(key="state", title="state", width=13, draw=lambda run, _: STATES[run.state]),
        Column(key="job", title="job", width=18, draw=lambda run, _: Cell(run.job, "strong")),
        Column(key="progress", title="progress, or why", width=24, grows=True, sorts=False, draw=progress),
        Column(key="took", title="took", width=8, right=True, draw=lambda run, f: Cell(took(run, f))),
        Column(
            key="objective", title="objective", width=17, sorts=False, draw=lambda run, _: objective(sparks.get(run.id))
        ),
        Column(key="created", title="asked for", width=12, draw=lambda run, f: Cell(clock(run.created_at, f), "dim")),
        Column(key="actor", title="by", width=16, extra=True, draw=lambda run, _: Cell(asked_by(run), "dim")),
        Column(
            key="attempt", title="try", width=5, extra=True, draw=lambda r, _: Cell(f"{r.attempt}/{r.max_attempts}")
        ),
        Column(key="pool", title="pool", width=8, extra=True, draw=lambda run, _: Cell(run.pool, "dim")),
    ]


def objective(found: SparkView | None) -> Cell:
    """The newest value, and how it came there."""
    if found is None or found.latest is None:
        return Cell("")
    return Cell(f"{figure(found.latest):<7}{spark(found.values, 10)}")


def progress(run: RunView, frame: Frame) -> Cell:
    """How far a living run is; why another is where it is."""
    if run.state == "running" and run.done is not None:
        words = f"{count(run.done)}{f'/{count(run.total)}' if run.total else ''} {run.unit}".strip()
        left = f" {span(run.eta_seconds)} left" if run.eta_seconds is not None else ""
        share = f"{bar(run.done / run.total, 8)} " if run.total else ""
        return Cell(f"{share}{words}{left}  {run.message}".rstrip(), "warn" if run.stalled else "")
    if run.stalled:
        return Cell("silent for longer than its stall_timeout", "warn")
    return Cell(run.reason or run.message, "dim" if run.state in {"succeeded", "skipped"} else "")


def took(run: RunView, frame: Frame) -> str:
    """Of an ended run. A living one has its start instead: a clock that ticks would draw for ever."""
    if run.started_at is None:
        return "-"
    return span((run.ended_at - run.started_at).total_seconds()) if run.ended_at else clock(run.started_at, frame)


def asked_by(run: RunView) -> str:
    return run.actor if run.schedule is None else f"schedule {run.schedule}"


def facts(run: RunView, frame: Frame) -> list[Line]:
    """One run in short, for the pane beside the list."""
    lines = [
        line(("run ", "strong"), (str(run.id), "strong"), "  ", STATES[run.state]),
        line((run.job, "strong")),
        line(),
        *pairs(
            [
                ("asked for", f"{stamp(run.created_at, frame)} by {asked_by(run)}"),
                ("started", stamp(run.started_at, frame)),
                ("ended", stamp(run.ended_at, frame)),
                ("try", f"{run.attempt} of {run.max_attempts}"),
                ("pool", f"{run.pool}, priority {run.priority}"),
            ]
        ),
    ]
    words = progress(run, frame)
    if words.text:
        lines += [line(), line(words)]
    failed = why_it_failed(run)
    return [*lines, line(), heading("why it failed"), *failed] if failed else lines


def why_it_failed(run: RunView) -> list[Line]:
    """What went wrong, where, and what to do; nothing of a run that has no fault."""
    if run.fault is None:
        return []
    place = f"{run.fault.where}: " if run.fault.where else ""
    lines = [line((f"{run.fault.code}: ", "bad"), place + run.fault.what)]
    return [*lines, line(f"→ {run.fault.remedy}")] if run.fault.remedy else lines
