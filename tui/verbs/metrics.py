"""`metrics`: the shed in numbers, as Prometheus reads them."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from tui.failure import Failure
from tui.verbs.frame import Shell, verb


def add_to(app: typer.Typer) -> None:
    verb(app, "metrics", example="trainshed metrics --to /var/lib/node_exporter/trainshed.prom")(metrics)


def metrics(
    shell: Shell,
    to: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Into this file, all at once: for node_exporter's textfiles.")
    ] = None,
) -> None:
    """Runs, queue, schedules, datasets, models and what wants a person, in the text format of Prometheus."""
    with shell.daemon() as daemon:
        text = daemon.metrics()
    if to is not None:
        file = shell.folder / to
        _replace(file, text)
        shell.say({"file": str(file), "bytes": len(text.encode())}, f"{len(text.splitlines())} lines in {file}")
    elif shell.as_json:
        shell.say_json({"metrics": text})
    else:
        sys.stdout.write(text)


def _replace(file: Path, text: str) -> None:
    """A reader finds the file of before or this one, and never a half. Raises Failure."""
    aside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        aside.write_text(text, encoding="utf-8")
        os.replace(aside, file)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise Failure(
            f"the numbers were not written: {error.strerror}",
            where=str(file),
            remedy="name a file in a folder that you may write to",
        ) from None
