"""`schedules`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tui.verbs import complete
from tui.verbs.frame import Shell, group, verb

Schedule = Annotated[
    str, typer.Argument(metavar="NAME", help="See `trainshed schedules`.", autocompletion=complete.schedules)
]


def add_to(app: typer.Typer) -> None:
    inner = group(app, "schedules", purpose="When jobs run by themselves.", bare=list_schedules)
    verb(inner, "list", example="trainshed schedules list")(list_schedules)
    verb(inner, "pause", example="trainshed schedules pause nightly")(pause)
    verb(inner, "resume", example="trainshed schedules resume nightly")(resume)
    verb(inner, "next", example="trainshed schedules next nightly --count 10")(next_times)


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
