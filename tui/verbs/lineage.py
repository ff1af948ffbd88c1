"""`lineage`: where something comes from and where it went."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tui.failure import Usage
from tui.verbs.frame import Shell, verb

if TYPE_CHECKING:
    from store.wire import LineageView
    from tui.client import Client

What = Annotated[str, typer.Argument(metavar="WHAT", help="`flights`, `flights@3`, a model, or the word `run`.")]
Which = Annotated[int | None, typer.Argument(metavar="[NUMBER]", help="Of the model's version, or of the run.")]


def add_to(app: typer.Typer) -> None:
    verb(app, "lineage", example="trainshed lineage late 3")(lineage)


def lineage(shell: Shell, what: What, number: Which = None) -> None:
    """From source rows through runs, tables and training sets to versions and the aliases that show them."""
    with shell.daemon() as daemon:
        view = _asked(daemon, what, number)

    def draw() -> Any:
        from tui.draw.lineage import lineage as drawn

        return drawn(view)

    shell.show(view, draw)


def _asked(daemon: Client, what: str, number: int | None) -> LineageView:
    if what == "run" and number is not None:
        return daemon.run_lineage(number)
    if number is not None:
        return daemon.version_lineage(what, number)
    table, at, version = what.partition("@")
    if at and not version.isdecimal():
        raise Usage(f"{what!r} names no version", remedy=f"write it as {table}@0")
    return daemon.dataset_lineage(table, version=int(version) if at else None)
