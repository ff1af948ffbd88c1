"""`backup`, `restore`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tui.verbs.child import run_program
from tui.verbs.frame import Shell, verb


def add_to(app: typer.Typer) -> None:
    verb(app, "backup", example="trainshed backup /mnt/other/trainshed --wait")(backup)
    verb(app, "restore", example="trainshed restore .trainshed/backups/20260301T020000Z")(restore)


def backup(
    shell: Shell,
    dest: Annotated[
        Path | None, typer.Argument(metavar="DEST", help="A folder on another disk; else the home's backups.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Show it live, and exit 1 if it does not succeed.")] = False,
) -> None:
    """Copy all that cannot be made again, verified, while everything goes on.

    In the home a backup costs next to no space and the oldest are let go of; in DEST it is a full copy, kept until
    you remove it.
    """
    from store.wire import RunRequest
    from tui.verbs.wait import submitted, wait_and_report

    params = {} if dest is None else {"to": str((shell.folder / dest).resolve())}
    with shell.daemon() as daemon:
        view = daemon.submit(RunRequest(job="backup", params=params))
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
