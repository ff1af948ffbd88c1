"""Running a job, pausing and backfilling a schedule, from any screen: asks how, then shows the plan."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from tui.failure import Failure
from tui.proposals.jobs import Wish, run_now
from tui.proposals.schedules import backfill, pause_or_resume
from tui.screens.trigger import AskSpan, AskWish

if TYPE_CHECKING:
    from store.wire import BackfillPlan, JobView, ScheduleView
    from tui.client import Client
    from tui.screens.base import ShedScreen


def run_a_job(screen: ShedScreen, name: str) -> None:
    """`name`: as `trainshed jobs` has it."""

    def ask_how(job: JobView) -> None:
        def plan(wish: Wish | None) -> None:
            if wish is not None:
                screen.shed.propose(run_now(job, wish), screen.read)

        screen.shed.open_box(AskWish(job.name), plan)

    screen.ask("propose", lambda daemon: _job(daemon, name), ask_how)


def turn_a_schedule(screen: ShedScreen, name: str) -> None:
    """Pauses one that is on, resumes one that is paused."""

    def plan(schedule: ScheduleView) -> None:
        screen.shed.propose(pause_or_resume(schedule, screen.shed.frame), screen.read)

    screen.ask("propose", lambda daemon: _schedule(daemon, name), plan)


def backfill_a_schedule(screen: ShedScreen, name: str) -> None:
    """Asks for the span, shows its times."""

    def look(span: tuple[datetime, datetime] | None) -> None:
        if span is not None:
            screen.ask("propose", lambda daemon: _backfill_plan(daemon, name, *span), plan)

    def plan(found: BackfillPlan) -> None:
        screen.shed.propose(backfill(found, screen.shed.frame), screen.read)

    screen.shed.open_box(AskSpan(name), look)


def _backfill_plan(daemon: Client, name: str, start: datetime, end: datetime) -> BackfillPlan:
    from store.wire import BackfillRequest

    return daemon.backfill_plan(name, BackfillRequest(start=start, end=end))


def _job(daemon: Client, name: str) -> JobView:
    for job in daemon.jobs():
        if job.name == name:
            return job
    raise Failure("the project has no such job", where=name, remedy="Jobs (7) lists what there is")


def _schedule(daemon: Client, name: str) -> ScheduleView:
    for schedule in daemon.schedules():
        if schedule.name == name:
            return schedule
    raise Failure("the project has no such schedule", where=name, remedy="r reads the screen again")
