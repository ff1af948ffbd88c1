"""`canary`, `weights`, `shadow`: who answers which share of a model's traffic, after the plan was shown."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Final

import typer

from tui.failure import Failure, Usage
from tui.shares import share_of, shares_of
from tui.verbs.frame import Shell, verb
from tui.verbs.models import Model
from tui.verbs.promotion import Reason, Yes

if TYPE_CHECKING:
    from rich.console import RenderableType

    from store.wire import ShadowView, TrafficChange, TrafficPlanView, TrafficView

Optional = Annotated[int | None, typer.Argument(metavar="[VERSION]", help="Its number: 3.")]
Override = Annotated[
    bool, typer.Option("--override", help="Against the gates; needs a --reason, and is shown for ever.")
]
Stop = Annotated[bool, typer.Option("--stop", help="End it: all of the traffic is production's again.")]


_DONE: Final = {
    "weights": "the shares are in force",
    "canary": "the canary has begun",
    "experiment": "the experiment has begun",
    "stop": "nothing is compared any more",
    "shadow": "the shadow is there",
    "lift": "there is no shadow any more",
}


def add_to(app: typer.Typer) -> None:
    verb(app, "canary", example='trainshed canary late 3 --reason "trained with May"')(canary)
    verb(app, "weights", example="trainshed weights late 3=10%")(weights)
    verb(app, "shadow", example="trainshed shadow late 3 --share 50%")(shadow)


def canary(
    shell: Shell,
    model: Model,
    version: Optional = None,
    stop: Stop = False,
    yes: Yes = False,
    reason: Reason = "",
    override: Override = False,
) -> None:
    """Bring a version in by stages, as `[serving.canary]` says; harm takes it back at once.

    `--stop` also says that a canary that was taken back has been seen.
    """
    from store.wire import TrafficChange

    if (version is None) == (not stop):
        raise Usage("a version, or --stop", remedy=f"`trainshed canary {model} 3` starts one")
    if stop:
        change = TrafficChange(do="stop", kind="canary", reason=reason)
    else:
        change = TrafficChange(do="canary", version=version, reason=reason, override=override)
    change_traffic(shell, model, change, yes=yes)


def weights(
    shell: Shell,
    model: Model,
    shares: Annotated[
        list[str] | None, typer.Argument(metavar="[VERSION=SHARE]...", help="3=10% or 3=0.1; shares only grow.")
    ] = None,
    stop: Stop = False,
    yes: Yes = False,
    reason: Reason = "",
    override: Override = False,
) -> None:
    """Give versions shares of the units; the rest is production's. Who has a version keeps it while its share grows."""
    from store.wire import TrafficChange

    if bool(shares) == stop:
        raise Usage("shares, or --stop", remedy=f"`trainshed weights {model} 3=10%` gives version 3 a tenth")
    if stop:
        change = TrafficChange(do="stop", kind="weights", reason=reason)
    else:
        parted = shares_of(shares or [])
        change = TrafficChange(do="weights", shares=parted, reason=reason, override=override)
    change_traffic(shell, model, change, yes=yes)


def shadow(
    shell: Shell,
    model: Model,
    version: Optional = None,
    share: Annotated[str, typer.Option(metavar="SHARE", help="Of the requests: 10% or 0.1.")] = "100%",
    stop: Annotated[bool, typer.Option("--stop", help="No copies any more.")] = False,
    yes: Yes = False,
    reason: Reason = "",
) -> None:
    """Give a version copies of requests. Nobody hears its answers; the prediction log has them, marked `shadow`.

    Without a version it shows the one that is there, and why it does not run if it does not.
    """
    from store.wire import TrafficChange

    if version is not None and stop:
        raise Usage("a version, or --stop", remedy=f"`trainshed shadow {model} 3` starts one")
    if version is None and not stop:
        _show_shadow(shell, model)
        return
    if stop:
        change = TrafficChange(do="lift", reason=reason)
    else:
        change = TrafficChange(do="shadow", version=version, share=share_of(share), reason=reason)
    change_traffic(shell, model, change, yes=yes)


def _show_shadow(shell: Shell, model: str) -> None:
    with shell.daemon() as daemon:
        known = daemon.traffic(model).shadow
        served = next((one.shadow for one in daemon.endpoints().endpoints if one.model == model), None)
    found = served if known is not None and served is not None else known
    shell.show(found or {}, lambda: _drawn_shadow(model, found))


def _drawn_shadow(model: str, found: ShadowView | None) -> RenderableType:
    from tui.draw.traffic import shadow as drawn

    if found is None:
        return f"no version of {model} is a shadow: `trainshed shadow {model} VERSION` makes one"
    return drawn(found)


def change_traffic(shell: Shell, model: str, change: TrafficChange, *, yes: bool) -> None:
    """The plan, the question, the change; what is so now."""
    from store.wire import TrafficRequest
    from tui.commandline import change_command

    with shell.daemon() as daemon:
        plan = daemon.traffic_plan(model, change)
        if not yes:
            _confirm(shell, plan, change_command(model, change, override=change.override))
        now = daemon.change_traffic(model, TrafficRequest(change=change, token=plan.token))
    shell.say(now, _said(plan, now))


def _confirm(shell: Shell, plan: TrafficPlanView, command: str) -> None:
    """Goes on only when the model's name was typed. Raises Usage where nobody can be asked."""
    if not shell.interactive:
        raise Usage(
            "nobody is here to confirm this",
            remedy=f"`{command} --yes --reason WORDS` does it; without --yes, on a terminal, the plan is shown first",
        )
    from tui.draw.traffic import plan as drawn
    from tui.render import console

    console(sys.stderr).print(drawn(plan))
    sys.stderr.write(f"\nType {plan.model} to go on, anything else to leave all as it is: ")
    sys.stderr.flush()
    if sys.stdin.readline().strip() != plan.model:
        raise Failure("not confirmed; nothing was changed", remedy=f"`{command}` asks again")


def _said(plan: TrafficPlanView, now: TrafficView) -> str:
    effects = "".join(f"\n  {one}" for one in plan.effects)
    head = f"{plan.model}: {_DONE[plan.do]}; production is version {now.production}"
    name = now.comparison.name if plan.do == "experiment" and now.comparison is not None else ""
    look = f"trainshed experiment show {name}" if name else "trainshed endpoints"
    return f"{head}{effects}\n  undo: {plan.undo}\n  look: {look}"
