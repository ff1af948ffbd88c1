"""`system`: the machine room. (`doctor`, which needs no daemon, is in `tui.verbs.project`.)"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tui.verbs.frame import Shell, group, verb


def add_to(app: typer.Typer) -> None:
    inner = group(app, "system", purpose="The machine room: daemon, record, folders, processes, devices.", bare=show)
    verb(inner, "show", example="trainshed system show --json")(show)
    verb(inner, "history", example="trainshed system history --minutes 240 --points 24")(history)


def show(shell: Shell) -> None:
    """The daemon as a process, its record and home, everything that it has started, pools and GPUs."""
    with shell.daemon() as daemon:
        view = daemon.system()

    def draw() -> Any:
        from tui.draw.system import system

        return system(view, shell.now)

    shell.show(view, draw)


def history(
    shell: Shell,
    minutes: Annotated[int, typer.Option(min=1, max=2880, help="How far back.")] = 60,
    points: Annotated[int, typer.Option(min=2, max=2000, help="At most so many lines.")] = 12,
) -> None:
    """CPU, memory, disk and network of the box over the last hour, or longer."""
    with shell.daemon() as daemon:
        view = daemon.box_history(minutes=minutes, points=points)

    def draw() -> Any:
        from tui.draw.system import history as drawn

        return drawn(view)

    shell.show(view, draw)
