"""`promote`, `rollback`: an alias moves, after its plan was shown and the model's name typed."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from tui.commandline import promote_command, rollback_command
from tui.failure import Failure, Usage
from tui.verbs.frame import Shell, verb
from tui.verbs.models import REPLAY_S, Alias, Model, Version

if TYPE_CHECKING:
    from store.wire import AliasEventView, PlanView, ServedView
    from tui.client import Client

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
Reason = Annotated[str, typer.Option(metavar="WORDS", help="Why; it stays in the history.")]


def add_to(app: typer.Typer) -> None:
    verb(app, "promote", example='trainshed promote late 3 --reason "better in every hour of the day"')(promote)
    verb(app, "rollback", example='trainshed rollback late --reason "answers too slowly"')(rollback)


def promote(
    shell: Shell,
    model: Model,
    version: Version,
    alias: Alias = "production",
    yes: Yes = False,
    reason: Reason = "",
    override: Annotated[
        bool, typer.Option("--override", help="Against the gates; needs a --reason, and is shown for ever.")
    ] = False,
) -> None:
    """Make a version the live one. Shows the plan and asks for the model's name first."""
    from store.wire import PromoteRequest

    with shell.daemon() as daemon:
        plan = daemon.plan(model, version, alias=alias, wait=0.0 if yes else REPLAY_S)
        confirm(shell, plan, yes=yes, command=promote_command(plan, override=override))
        request = PromoteRequest(version=version, alias=alias, token=plan.token, reason=reason, override=override)
        with _told(shell, daemon, plan):
            moved = daemon.promote(model, request)
    shell.say(moved, _moved(moved, plan.undo))


def rollback(
    shell: Shell,
    model: Model,
    to: Annotated[int | None, typer.Option(metavar="VERSION", help="This version; else the one before.")] = None,
    alias: Alias = "production",
    yes: Yes = False,
    reason: Reason = "",
) -> None:
    """Go back to the version before. It can itself be undone by a promotion."""
    from store.wire import RollbackRequest

    with shell.daemon() as daemon:
        plan = daemon.rollback_plan(model, alias=alias, to=to)
        confirm(shell, plan, yes=yes, command=rollback_command(plan))
        request = RollbackRequest(alias=alias, to=plan.to_version, expected=plan.from_version, reason=reason)
        with _told(shell, daemon, plan):
            moved = daemon.rollback(model, request)
    shell.say(moved, _moved(moved, plan.undo))


def confirm(shell: Shell, plan: PlanView, *, yes: bool, command: str) -> None:
    """Shows the plan; goes on only when the model's name was typed, or with --yes.

    Raises Usage where nobody can be asked.
    """
    if yes:
        return
    if not shell.interactive:
        raise Usage(
            "nobody is here to confirm this", remedy=f"look at the plan, then say `{command} --yes --reason WORDS`"
        )
    from tui.draw.models import plan as drawn
    from tui.render import console

    console(sys.stderr).print(drawn(plan))
    sys.stderr.write(f"\nType {plan.model} to go on, anything else to leave all as it is: ")
    sys.stderr.flush()
    if sys.stdin.readline().strip() != plan.model:
        raise Failure("not confirmed; nothing was changed", remedy=f"`{command}` asks again")


def _told(shell: Shell, daemon: Client, plan: PlanView) -> AbstractContextManager[None]:
    """Of a version that is going to answer requests, each phase is told to a person when it begins."""
    if shell.as_json or not plan.served:
        return nullcontext()
    from tui.intoservice import followed

    return followed(daemon, plan.model, plan.to_version, shell.note)


def _moved(event: AliasEventView, back: str) -> str:
    """`back`: how the plan said that it is undone. Of another alias than production, that is another command."""
    before = "nothing" if event.from_version is None else f"v{event.from_version}"
    against = ", against the gates" if event.overridden else ""
    undo = f"\n  undo: {back}" if event.from_version is not None else ""
    moved = f"{event.model}: {event.alias} {before} → v{event.to_version} by {event.actor}{against}"
    return f"{moved}{_in_service(event.served)}{undo}"


def _in_service(served: ServedView | None) -> str:
    """The phases, each with its time."""
    if served is None:
        return ""
    from tui.render import span

    warm = "was warm already" if not served.pressed_s else f"verified in {span(served.pressed_s)}"
    compiled = f", {served.compiled} programs compiled" if served.compiled else ""
    return (
        f"\n  {warm}{compiled}; loaded and compared with its golden rows in {served.loaded_s * 1000:.0f} ms"
        f"\n  answers in {_processes(served.workers)} after {served.switched_s * 1000:.1f} ms, epoch {served.epoch}"
    )


def _processes(number: int) -> str:
    return "1 process" if number == 1 else f"{number} processes"
