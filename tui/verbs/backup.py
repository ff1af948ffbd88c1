"""`backup`, `restore`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tui.verbs.child import run_program
from tui.verbs.frame import Shell, verb


def add_to(app: typer.Typer) -> None:
    verb(app, "backup", example="trainshed backup --wait")(backup)
    verb(app, "restore", example="trainshed restore .trainshed/backups/2026-03-01T02-00-00Z")(restore)


def backup(
    shell: Shell,
    wait: Annotated[bool, typer.Option("--wait", help="Show it live, and exit 1 if it does not succeed.")] = False,
) -> None:
    """Copy the record, verified, while everything goes on."""
    from store.wire import RunRequest
    from tui.verbs.wait import submitted, wait_and_report

    with shell.daemon() as daemon:
        view = daemon.submit(RunRequest(job="backup"))
        if wait:
            wait_and_report(shell, daemon, view)
        else:
            shell.say(view, submitted(view))


def restore(
    shell: Shell,
    source: Annotated[Path, typer.Argument(metavar="SRC", help="A folder that `trainshed backup` made.")],
) -> None:
    """Put a backup in the place of the record; the daemon must be down, and the present record is kept aside."""
    place = ["--project", str(shell.place.project)]
    run_program(shell, "pipeline.restore", [*place, str((shell.folder / source).resolve())])
