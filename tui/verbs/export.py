"""`export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tui.verbs.child import run_program
from tui.verbs.frame import Shell, verb


def add_to(app: typer.Typer) -> None:
    verb(app, "export", example="trainshed export late@production --to container")(export)


def export(
    shell: Shell,
    reference: Annotated[str, typer.Argument(metavar="MODEL@ALIAS", help="Or a version by its number: late@3.")],
    to: Annotated[str, typer.Option("--to", metavar="TARGET", help="container or lambda; onnx says why not.")],
    into: Annotated[
        Path | None, typer.Option("--into", metavar="DIR", help="A new folder; else MODEL-VERSION-TARGET here.")
    ] = None,
) -> None:
    """Write a version as a folder that answers requests elsewhere, without Trainshed. Needs no daemon."""
    place = ["--project", str(shell.place.project), "--to", to]
    place += [] if into is None else ["--into", str((shell.folder / into).resolve())]
    run_program(shell, "pipeline.exporting", [reference, *place])
