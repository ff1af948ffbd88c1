"""`trainshed`: the command line. Importing this costs typer and no more; `trainshed --help` is drawn from it."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from tui.verbs import (
    alerts,
    backup,
    daemon,
    data,
    drift,
    endpoints,
    events,
    experiments,
    export,
    features,
    jobs,
    keys,
    labels,
    lineage,
    metrics,
    models,
    monitors,
    project,
    promotion,
    prune,
    runs,
    schedules,
    system,
    traffic,
    watch,
)
from tui.verbs.frame import Common, Json, Project, Shell, in_frame
from tui.verbs.words import Words

app = typer.Typer(
    name="trainshed",
    cls=Words,
    help="ML operations for one box: data, training, gates, promotion and rollback, recorded in one file.",
    epilog="Example: trainshed init demo --example flights && cd demo && trainshed up --detach && trainshed status",
    no_args_is_help=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for group in (
    project,
    daemon,
    runs,
    jobs,
    data,
    features,
    models,
    promotion,
    endpoints,
    export,
    traffic,
    experiments,
    labels,
    drift,
    monitors,
    alerts,
    keys,
    lineage,
    schedules,
    system,
    metrics,
    events,
    watch,
    backup,
    prune,
):
    group.add_to(app)


def _say_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"trainshed {version('trainshed')}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def start(
    context: typer.Context,
    project: Project = None,
    as_json: Json = False,
    plain: Annotated[
        bool, typer.Option("--plain", help="The overview as plain lines, once; so it is in a pipe.")
    ] = False,
    read_only: Annotated[
        bool | None, typer.Option("--read-only", help="The UI without anything that changes anything.")
    ] = None,
    lite: Annotated[
        bool | None, typer.Option("--lite", help="The UI for slow links: 16 colours, a picture a second.")
    ] = None,
    theme: Annotated[
        str | None, typer.Option(metavar="NAME", help="dark, light, high-contrast, mono, ansi-dark or ansi-light.")
    ] = None,
    mouse: Annotated[bool | None, typer.Option("--mouse", help="The mouse is the UI's, not the terminal's.")] = None,
    utc: Annotated[bool | None, typer.Option("--utc", help="Times in UTC instead of local time.")] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Say the version and leave.")
    ] = False,
) -> None:
    """ML operations for one box: data, training, gates, promotion and rollback, recorded in one file.

    Without a verb: the terminal UI of the nearest project; in a pipe, its overview as plain lines.
    """
    common = Common(project=project, as_json=as_json)
    context.obj = common
    if context.invoked_subcommand is not None:
        return
    if plain or as_json or not (sys.stdin.isatty() and sys.stdout.isatty()):
        in_frame(common, watch.overview)
        return
    chosen = {"read_only": read_only, "lite": lite, "theme": theme, "mouse": mouse, "utc": utc}
    in_frame(common, lambda shell: _open(shell, chosen))


def _open(shell: Shell, chosen: dict[str, Any]) -> None:
    from tui.ui import open_ui

    raise typer.Exit(open_ui(shell.place, shell.environ, **chosen))
