"""`schedules`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tui.failure import Failure, Usage
from tui.verbs import complete
from tui.verbs.frame import Shell, group, verb
from tui.verbs.moments import moment

if TYPE_CHECKING:
    from store.wire import BackfillPlan

Schedule = Annotated[
    str, typer.Argument(metavar="NAME", help="See `trainshed schedules`.", autocompletion=complete.schedules)
]


def add_to(app: typer.Typer) -> None:
    inner = group(app, "schedules", purpose="When jobs run by themselves.", bare=list_schedules)
    verb(inner, "list", example="trainshed schedules list")(list_schedules)
    verb(inner, "pause", example="trainshed schedules pause nightly")(pause)
    verb(inner, "resume", example="trainshed schedules resume nightly")(resume)
    verb(inner, "next", example="trainshed schedules next nightly --count 10")(next_times)
    verb(inner, "timetable", example="trainshed schedules timetable")(timetable)
    verb(inner, "backfill", example="trainshed schedules backfill nightly --from 2026-03-01 --to 2026-03-08")(backfill)


def list_schedules(shell: Shell) -> None:
    """Every schedule: when, what, and how the last runs went."""
    with shell.daemon() as daemon:
        found = daemon.schedules()

    def draw() -> Any:
        from tui.draw.schedules import schedule_table

        return schedule_table(found, shell.now)

    shell.show(found, draw)


def pause(
    shell: Shell,
    name: Schedule,
    reason: Annotated[str, typer.Option(metavar="WORDS", help="Why; it is shown beside the schedule.")] = "",
) -> None:
    """Start nothing by this schedule until it is resumed."""
    with shell.daemon() as daemon:
        view = daemon.pause(name, reason=reason)
    shell.say(view, f"schedule {view.name} is paused: `trainshed schedules resume {view.name}` goes on")


def resume(shell: Shell, name: Schedule) -> None:
    """Go on from now; times missed while it was paused are not made up."""
    with shell.daemon() as daemon:
        view = daemon.resume(name)
    following = f", next at {view.next_at.isoformat()}" if view.next_at else ""
    shell.say(view, f"schedule {view.name} is on{following}")


def next_times(
    shell: Shell,
    name: Schedule,
    count: Annotated[int, typer.Option(min=1, max=100, help="How many.")] = 5,
) -> None:
    """The next times, with the offset of the schedule's own zone."""
    with shell.daemon() as daemon:
        preview = daemon.next_times(name, count=count)

    def draw() -> Any:
        from tui.draw.schedules import next_times as drawn

        return drawn(preview)

    shell.show(preview, draw)


def timetable(
    shell: Shell,
    count: Annotated[int, typer.Option(min=0, max=20, help="Times to come, of each.")] = 3,
    past: Annotated[int, typer.Option(min=0, max=100, help="Runs of times that have passed, of each.")] = 10,
) -> None:
    """Every schedule with its next times and what became of the last ones."""
    with shell.daemon() as daemon:
        page = daemon.timetable(count=count, past=past)

    def draw() -> Any:
        from tui.draw.jobs import timetable as drawn

        return drawn(page.items, shell.now)

    shell.show(page, draw)


def backfill(
    shell: Shell,
    name: Schedule,
    start: Annotated[
        str, typer.Option("--from", metavar="TIME", help="The first time: ISO 8601; without a zone, UTC.")
    ],
    end: Annotated[str, typer.Option("--to", metavar="TIME", help="Up to here, not included.")],
    limit: Annotated[int, typer.Option(min=1, max=500, help="At most so many new runs.")] = 100,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Queue a run for each time of the schedule in a span that has none. Shows them and asks first."""
    from store.wire import BackfillRequest

    request = BackfillRequest(start=moment(start), end=moment(end), limit=limit)
    with shell.daemon() as daemon:
        if not yes:
            plan = daemon.backfill_plan(name, request)
            _confirm(shell, plan)
            # The end is that of the plan: no time that has passed since is made up unseen.
            request = request.model_copy(update={"end": plan.end, "token": plan.token})
        done = daemon.backfill(name, request)
    more = f"; {done.plan.left:,} times are left, say it again for them" if done.plan.left else ""
    shell.say(done, f"{len(done.runs)} runs queued for {name}{more}: `trainshed queue` shows them")


def _confirm(shell: Shell, plan: BackfillPlan) -> None:
    """Raises Usage where nobody can be asked, Failure when there is nothing to do or it is not confirmed."""
    if plan.new == 0:
        raise Failure(
            "every time of this span has its run", remedy=f"`trainshed schedules timetable` shows {plan.schedule}"
        )
    if not shell.interactive:
        raise Usage(f"nobody is here to confirm {plan.new} runs", remedy="say it again with --yes")
    from tui.draw.jobs import backfill as drawn
    from tui.render import console

    console(sys.stderr).print(drawn(plan))
    sys.stderr.write("\nType yes to queue them, anything else to leave all as it is: ")
    sys.stderr.flush()
    if sys.stdin.readline().strip() != "yes":
        raise Failure("not confirmed; nothing was queued", remedy="the same command asks again")
