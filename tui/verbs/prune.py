"""`prune`: old runs that go, and those that stay."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from tui.failure import Failure, Usage
from tui.verbs.frame import Shell, verb

if TYPE_CHECKING:
    from rich.console import RenderableType

    from store.wire import PruneView


def add_to(app: typer.Typer) -> None:
    verb(app, "prune", example="trainshed prune --dry-run")(prune)


def prune(
    shell: Shell,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show which go and which stay, and why.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove old runs now, as the daemon does by itself each hour. Shows them and asks first."""
    with shell.daemon() as daemon:
        if dry_run:
            plan = daemon.prune_plan()
            shell.show(plan, lambda: _drawn(plan, shell))
            return
        if not yes:
            _confirm(shell, daemon.prune_plan())
        done = daemon.prune()
    shell.say(done, done.message)


def _drawn(plan: PruneView, shell: Shell) -> RenderableType:
    from tui.draw.prune import prune as drawn

    return drawn(plan, shell.now)


def _confirm(shell: Shell, plan: PruneView) -> None:
    """Raises Usage where nobody can be asked, Failure when there is nothing to do or it is not confirmed."""
    if plan.runs == 0:
        raise Failure("no run is to go", remedy="`trainshed prune --dry-run` says which stay, and why")
    if not shell.interactive:
        raise Usage(f"nobody is here to confirm the removal of {plan.runs} runs", remedy="say it again with --yes")
    from tui.render import console

    console(sys.stderr).print(_drawn(plan, shell))
    sys.stderr.write("\nType yes to remove them, anything else to leave all as it is: ")
    sys.stderr.flush()
    if sys.stdin.readline().strip() != "yes":
        raise Failure("not confirmed; nothing was removed", remedy="the same command asks again")
