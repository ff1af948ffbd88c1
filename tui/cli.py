"""`trainshed`: the command line. Importing this costs typer and no more; `trainshed --help` is drawn from it."""

from __future__ import annotations

from typing import Annotated

import typer

from tui.verbs import backup, daemon, data, events, jobs, lineage, models, project, promotion, runs, schedules, system
from tui.verbs.frame import Common, Json, Project, in_frame

app = typer.Typer(
    name="trainshed",
    help="ML operations for one box: data, training, gates, promotion and rollback, recorded in one file.",
    epilog="Example: trainshed init demo --example flights && cd demo && trainshed up --detach && trainshed status",
    no_args_is_help=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for group in (project, daemon, runs, jobs, data, models, promotion, lineage, schedules, system, events, backup):
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
    version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Say the version and leave.")
    ] = False,
) -> None:
    """ML operations for one box: data, training, gates, promotion and rollback, recorded in one file.

    Without a verb: the status of the nearest project's daemon.
    """
    common = Common(project=project, as_json=as_json)
    context.obj = common
    if context.invoked_subcommand is None:
        in_frame(common, daemon.status)


def main() -> None:
    app()
