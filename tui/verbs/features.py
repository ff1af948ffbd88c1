"""`features`: feature views, and a model's rows with the features of each one's own moment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tui.verbs.child import run_program
from tui.verbs.frame import Shell, group, verb
from tui.verbs.models import Model
from tui.verbs.moments import moment


def add_to(app: typer.Typer) -> None:
    inner = group(app, "features", purpose="Feature views: features of an entity over time.", bare=list_features)
    verb(inner, "list", example="trainshed features list")(list_features)
    verb(inner, "get", example="trainshed features get late --since 2013-06-01 --to june.parquet")(get)


def list_features(shell: Shell) -> None:
    """Every feature view: entity, time, how long a value holds, and its features."""
    with shell.daemon() as daemon:
        found = daemon.features()

    def draw() -> Any:
        from tui.draw.data import feature_table

        return feature_table(found, shell.now)

    shell.show(found, draw)


def get(
    shell: Shell,
    model: Model,
    to: Annotated[Path, typer.Option("--to", metavar="FILE", help="Parquet; what is there is replaced.")],
    since: Annotated[str, typer.Option(metavar="TIME", help="Rows from then on; without a zone, UTC.")],
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Rows before then; else up to now.")] = None,
) -> None:
    """A model's labelled rows between two times, each with its features as they were known then. Needs no daemon."""
    end = shell.now if until is None else moment(until)
    asked = ["--since", moment(since).isoformat(), "--until", end.isoformat()]
    asked += ["--project", str(shell.place.project), "--to", str((shell.folder / to).resolve())]
    run_program(shell, "pipeline.trainingset", [model, *asked])
