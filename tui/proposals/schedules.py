"""What would happen to a schedule: pure, except for the commit that the box calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.plan import Proposal
from tui.rows.words import count, stamp
from tui.text import Line, line

if TYPE_CHECKING:
    from store.wire import BackfillPlan, ScheduleView
    from tui.client import Client
    from tui.table.column import Frame

_SHOWN = 12


def pause_or_resume(schedule: ScheduleView, frame: Frame) -> Proposal:
    """The opposite of what it does now."""
    return pause(schedule, frame) if schedule.enabled else resume(schedule, frame)


def pause(schedule: ScheduleView, frame: Frame) -> Proposal:
    def commit(daemon: Client, reason: str) -> str:
        view = daemon.pause(schedule.name, reason=reason)
        return f"schedule {view.name} is paused"

    return Proposal(
        title=f"Pause schedule {schedule.name}",
        lines=[
            *_what(schedule),
            line(("next  ", "dim"), stamp(schedule.next_at, frame)),
            line(),
            line("It queues nothing until it is resumed. What runs already goes on."),
            line("Times that pass meanwhile are not made up; F on the schedule backfills them."),
            line(),
            line(("undo  ", "dim"), f"S on the schedule (trainshed schedules resume {schedule.name})"),
        ],
        command=f"trainshed schedules pause {schedule.name}",
        commit=commit,
        reason="why; it is shown beside the schedule",
        forbidden=f"it is broken and queues nothing: {schedule.broken}" if schedule.broken else "",
    )


def resume(schedule: ScheduleView, frame: Frame) -> Proposal:
    def commit(daemon: Client, _: str) -> str:
        view = daemon.resume(schedule.name)
        return f"schedule {view.name} is on" + (f", next at {stamp(view.next_at, frame)}" if view.next_at else "")

    return Proposal(
        title=f"Resume schedule {schedule.name}",
        lines=[
            *_what(schedule),
            line(("paused because  ", "dim"), schedule.paused_reason or "nobody said why"),
            line(),
            line("It goes on from now. Times that passed meanwhile are not made up; F on the schedule backfills them."),
            line(),
            line(("undo  ", "dim"), f"S on the schedule (trainshed schedules pause {schedule.name})"),
        ],
        command=f"trainshed schedules resume {schedule.name}",
        commit=commit,
        forbidden=f"it is broken: {schedule.broken}" if schedule.broken else "",
    )


def backfill(plan: BackfillPlan, frame: Frame) -> Proposal:
    """The times of a schedule that have no run get one."""

    def commit(daemon: Client, _: str) -> str:
        from store.wire import BackfillRequest

        request = BackfillRequest(start=plan.start, end=plan.end, limit=max(1, plan.new), token=plan.token)
        done = daemon.backfill(plan.schedule, request)
        first, last = (done.runs[0], done.runs[-1]) if done.runs else (0, 0)
        return f"{count(len(done.runs))} runs are queued: {first} to {last}" if done.runs else "nothing was left to run"

    return Proposal(
        title=f"Backfill schedule {plan.schedule}",
        lines=[
            line((plan.job, "strong")),
            line(("from  ", "dim"), stamp(plan.start, frame)),
            line(("to    ", "dim"), stamp(plan.end, frame)),
            line(),
            *_times(plan, frame),
            line(),
            line(f"{count(plan.new)} runs would be queued, behind everything that is due.", ""),
            *([line((f"{count(plan.left)} more times have no run: ask again for them.", "warn"))] if plan.left else []),
            line(),
            line(("undo  ", "dim"), "K on each run (trainshed runs cancel RUN)"),
        ],
        command=_backfill_command(plan),
        commit=commit,
        forbidden="" if plan.new else "every time of the schedule in this span has its run already",
    )


def _backfill_command(plan: BackfillPlan) -> str:
    start, end = (f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in (plan.start, plan.end))
    return f"trainshed schedules backfill {plan.schedule} --from {start} --to {end}"


def _times(plan: BackfillPlan, frame: Frame) -> list[Line]:
    """The first and last of them."""
    rows = [
        line(
            "  ",
            stamp(time.at, frame),
            ("  new run", "live") if time.run is None else (f"  run {time.run} is {time.state}", "dim"),
        )
        for time in plan.times
    ]
    if len(rows) <= _SHOWN:
        return rows
    hidden = len(rows) - _SHOWN
    return [*rows[: _SHOWN - 2], line((f"  … {count(hidden)} more times …", "dim")), *rows[-2:]]


def _what(schedule: ScheduleView) -> list[Line]:
    return [
        line(("job   ", "dim"), (schedule.job, "strong")),
        line(("when  ", "dim"), f"{schedule.spec} {schedule.timezone}"),
    ]
