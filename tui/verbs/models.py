"""`models`, `versions`, `plan`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tui.failure import Usage
from tui.verbs import complete
from tui.verbs.frame import Shell, verb

Model = Annotated[str, typer.Argument(metavar="MODEL", help="See `trainshed models`.", autocompletion=complete.models)]
Version = Annotated[int, typer.Argument(metavar="VERSION", help="Its number: 3.")]
REPLAY_S = 60.0
"""For the replay of logged requests: somebody who asks for a plan by itself has the time."""
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
    action: Annotated[
        str | None, typer.Argument(metavar="[show|compare", help="`show` for one version, `compare` for two.")
    ] = None,
    number: Annotated[int | None, typer.Argument(metavar="VERSION]", help="Its number.")] = None,
    other: Annotated[int | None, typer.Argument(metavar="[VERSION]", help="The one to compare it with.")] = None,
    versus: Annotated[
        bool, typer.Option("--versus", help="Each against the one in production, with intervals where there are any.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many.")] = 30,
    after: Annotated[str | None, typer.Option(metavar="TOKEN", help="The `next` of the page before.")] = None,
) -> None:
    """A model's versions, newest first; or one of them with its evidence; or two side by side."""
    if action is not None:
        _one_or_two(shell, model, action, number, other)
        return
    if versus:
        _versus(shell, model, limit, after)
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
        view = daemon.plan(model, version, alias=alias, wait=REPLAY_S)

    def draw() -> Any:
        from tui.draw.models import plan as drawn

        return drawn(view)

    shell.show(view, draw)


def _one_or_two(shell: Shell, model: str, action: str, number: int | None, other: int | None) -> None:
    """`show 3`, `compare 3 2`. Raises Usage."""
    if action == "show" and number is not None and other is None:
        _show(shell, model, number)
    elif action == "compare" and number is not None and other is not None:
        _compare(shell, model, number, other)
    else:
        words = f"`trainshed versions {model} show 3` or `trainshed versions {model} compare 3 2`"
        raise Usage("not understood", remedy=f"write {words}")


def _versus(shell: Shell, model: str, limit: int, after: str | None) -> None:
    with shell.daemon() as daemon:
        page = daemon.standings(model, limit=limit, after=after)

    def draw() -> Any:
        from tui.draw.standings import standing_table

        return standing_table(page.items)

    shell.show(page, draw)
    if page.next and not shell.as_json:
        shell.note(f"more: --after {page.next}")


def _compare(shell: Shell, model: str, left: int, right: int) -> None:
    with shell.daemon() as daemon:
        view = daemon.compare_versions(model, left, right)

    def draw() -> Any:
        from tui.draw.standings import comparison

        return comparison(view)

    shell.show(view, draw)


def _show(shell: Shell, model: str, number: int) -> None:
    with shell.daemon() as daemon:
        detail = daemon.version(model, number)

    def draw() -> Any:
        from tui.draw.models import version_detail

        return version_detail(detail, shell.now)

    shell.show(detail, draw)
