"""`drift`: has what a model is asked moved away from what it learned from?"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tui.verbs.frame import Shell, verb
from tui.verbs.models import Model
from tui.verbs.moments import moment


def add_to(app: typer.Typer) -> None:
    verb(app, "drift", example="trainshed drift late --since 2026-03-01")(drift)


def drift(
    shell: Shell,
    model: Model,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only what was asked from then on; without a zone, UTC.")
    ] = None,
    column: Annotated[str | None, typer.Option(metavar="NAME", help="Only this one, with all its measures.")] = None,
) -> None:
    """The newest requests against what the version in production learned from: which columns have moved, and why."""
    begin = None if since is None else moment(since)
    with shell.daemon() as daemon:
        view = daemon.drift(model, since=begin, column=column)

    def draw() -> Any:
        from tui.draw.drift import drifted

        return drifted(view, closely=column is not None)

    shell.show(view, draw)
