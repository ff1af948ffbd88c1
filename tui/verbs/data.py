"""`data`, `features`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tui.failure import Usage
from tui.verbs import complete
from tui.verbs.frame import Shell, group, verb

Dataset = Annotated[
    str, typer.Argument(metavar="NAME", help="A dataset or feature view.", autocompletion=complete.datasets)
]


def add_to(app: typer.Typer) -> None:
    inner = group(app, "data", purpose="The lake: datasets, their versions and their checks.", bare=list_datasets)
    verb(inner, "list", example="trainshed data list")(list_datasets)
    verb(inner, "show", example="trainshed data show flights@12")(show)
    verb(inner, "history", example="trainshed data history flights")(history)
    verb(inner, "checks", example="trainshed data checks flights")(checks)
    verb(inner, "sources", example="trainshed data sources --json")(sources)
    verb(inner, "quarantine", example="trainshed data quarantine flights --limit 20")(quarantine)


def list_datasets(shell: Shell) -> None:
    """Every dataset and feature view, as it stands."""
    with shell.daemon() as daemon:
        found = daemon.datasets()

    def draw() -> Any:
        from tui.draw.data import dataset_table

        return dataset_table(found, shell.now)

    shell.show(found, draw)


def show(shell: Shell, name: Dataset) -> None:
    """The newest version, or with NAME@VERSION another one: columns, checks, the first rows."""
    table, at, version = name.partition("@")
    if at and not version.isdecimal():
        raise Usage(f"{name!r} names no version", remedy=f"write it as {table}@0; `trainshed data history {table}`")
    with shell.daemon() as daemon:
        detail = daemon.dataset(table, int(version) if at else None)

    def draw() -> Any:
        from tui.draw.data import dataset_detail

        return dataset_detail(detail, shell.now)

    shell.show(detail, draw)


def history(
    shell: Shell,
    name: Dataset,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many.")] = 30,
    after: Annotated[str | None, typer.Option(metavar="TOKEN", help="The `next` of the page before.")] = None,
) -> None:
    """Its versions, newest first: rows, what changed, which run made it."""
    with shell.daemon() as daemon:
        page = daemon.dataset_versions(name, limit=limit, after=after)

    def draw() -> Any:
        from tui.draw.data import version_table

        return version_table(page.items, shell.now)

    shell.show(page, draw)
    if page.next and not shell.as_json:
        shell.note(f"more: --after {page.next}")


def checks(
    shell: Shell,
    name: Dataset,
    history: Annotated[bool, typer.Option("--history", help="Every time they ran, newest first.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many, with --history.")] = 100,
) -> None:
    """What the data-quality checks found."""
    with shell.daemon() as daemon:
        found = daemon.checks(name, history=history, limit=limit)

    def draw() -> Any:
        from tui.draw.data import check_table

        return check_table(found)

    shell.show(found, draw)


def sources(shell: Shell) -> None:
    """Where raw data comes from, which datasets hold it, and how the last fetch of each went."""
    with shell.daemon() as daemon:
        found = daemon.sources()

    def draw() -> Any:
        from tui.draw.sources import source_table

        return source_table(found, shell.now)

    shell.show(found, draw)


def quarantine(
    shell: Shell,
    name: Dataset,
    version: Annotated[
        int | None, typer.Option(min=0, help="Only what was kept apart when this version was made.")
    ] = None,
    run: Annotated[int | None, typer.Option(min=1, help="Only what this run kept apart.")] = None,
    check: Annotated[str | None, typer.Option(metavar="NAME", help="Only what this check threw out.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many.")] = 20,
) -> None:
    """Rows that checks threw out, newest first, each with the names of the checks."""
    with shell.daemon() as daemon:
        view = daemon.quarantine(name, version=version, run=run, check=check, limit=limit)

    def draw() -> Any:
        from tui.draw.sources import quarantine as drawn

        return drawn(view)

    shell.show(view, draw)
