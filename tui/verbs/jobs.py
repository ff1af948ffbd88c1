"""`jobs`, `queue`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tui.verbs.frame import Shell, verb


def add_to(app: typer.Typer) -> None:
    verb(app, "jobs", example="trainshed jobs")(jobs)
    verb(app, "queue", example="trainshed queue --json")(queue)


def jobs(shell: Shell) -> None:
    """What the project defines that can run: each one's last runs, and how long it takes."""
    with shell.daemon() as daemon:
        found = daemon.jobs()

    def draw() -> Any:
        from tui.draw.jobs import job_table

        return job_table(found, shell.now)

    shell.show(found, draw)


def queue(
    shell: Shell,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many.")] = 30,
) -> None:
    """What waits, in the order in which it is served, and why."""
    with shell.daemon() as daemon:
        view = daemon.queue(limit=limit)

    def draw() -> Any:
        from tui.draw.jobs import queue as drawn

        return drawn(view, shell.now)

    shell.show(view, draw)
