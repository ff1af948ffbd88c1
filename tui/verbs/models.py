"""`models`, `versions`, `plan`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tui.failure import Usage
from tui.verbs import complete
from tui.verbs.frame import Shell, verb

Model = Annotated[str, typer.Argument(metavar="MODEL", help="See `trainshed models`.", autocompletion=complete.models)]
Version = Annotated[int, typer.Argument(metavar="VERSION", help="Its number: 3.")]
Alias = Annotated[str, typer.Option(metavar="NAME", help="Which alias moves.")]


def add_to(app: typer.Typer) -> None:
    verb(app, "models", example="trainshed models --json")(models)
    verb(app, "versions", example="trainshed versions late show 3")(versions)
    verb(app, "plan", example="trainshed plan late 3")(plan)


def models(shell: Shell) -> None:
    """Every model: how many versions, and where its aliases point."""
    with shell.daemon() as daemon:
        found = daemon.models()

    def draw() -> Any:
        from tui.draw.models import model_table

        return model_table(found)

    shell.show(found, draw)


def versions(
    shell: Shell,
    model: Model,
    action: Annotated[str | None, typer.Argument(metavar="[show", help="`show` for one version.")] = None,
    number: Annotated[int | None, typer.Argument(metavar="VERSION]", help="Its number.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many.")] = 30,
    after: Annotated[str | None, typer.Option(metavar="TOKEN", help="The `next` of the page before.")] = None,
) -> None:
    """A model's versions, newest first; or one of them with its evidence."""
    if action is not None:
        if action != "show" or number is None:
            raise Usage("not understood", remedy=f"write `trainshed versions {model} show 3`")
        _show(shell, model, number)
        return
    with shell.daemon() as daemon:
        page = daemon.versions(model, limit=limit, after=after)

    def draw() -> Any:
        from tui.draw.models import version_table

        return version_table(page.items, shell.now)

    shell.show(page, draw)
    if page.next and not shell.as_json:
        shell.note(f"more: --after {page.next}")


def plan(shell: Shell, model: Model, version: Version, alias: Alias = "production") -> None:
    """What a promotion would do: gates, difference to the live version with its interval, effects, undo."""
    with shell.daemon() as daemon:
        view = daemon.plan(model, version, alias=alias)

    def draw() -> Any:
        from tui.draw.models import plan as drawn

        return drawn(view)

    shell.show(view, draw)


def _show(shell: Shell, model: str, number: int) -> None:
    with shell.daemon() as daemon:
        detail = daemon.version(model, number)

    def draw() -> Any:
        from tui.draw.models import version_detail

        return version_detail(detail, shell.now)

    shell.show(detail, draw)
