"""`experiment`: a version against production on live traffic, until the figures decide."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tui.failure import Usage
from tui.shares import share_of
from tui.verbs.frame import Shell, group, verb
from tui.verbs.promotion import Reason, Yes
from tui.verbs.traffic import Optional, Override, change_traffic

if TYPE_CHECKING:
    from store.wire import ExperimentView

Called = Annotated[str, typer.Argument(metavar="NAME", help="Of the experiment; `trainshed experiment list`.")]
_DURATION = "DURATION"


def add_to(app: typer.Typer) -> None:
    purpose = "Experiments: a version against production on live traffic, decided by what comes back."
    inner = group(app, "experiment", purpose=purpose, bare=list_experiments)
    verb(inner, "start", example="trainshed experiment start late 3 --metric correct --window 2d")(start)
    verb(inner, "show", example="trainshed experiment show late_3")(show)
    verb(inner, "list", example="trainshed experiment list")(list_experiments)
    verb(inner, "stop", example="trainshed experiment stop late_3")(stop)


def start(
    shell: Shell,
    what: Annotated[str, typer.Argument(metavar="NAME|MODEL", help="Of the project file; or a model, and a version.")],
    version: Optional = None,
    name: Annotated[str, typer.Option(metavar="NAME", help="What it is called; else MODEL_VERSION.")] = "",
    share: Annotated[
        str | None, typer.Option(metavar="SHARE", help="Of the units, for the version: 50% or 0.5.")
    ] = None,
    metric: Annotated[
        str | None, typer.Option(metavar="METRIC", help="correct, absolute_error, errors, latency_ms, or a reward.")
    ] = None,
    better: Annotated[str | None, typer.Option(metavar="higher|lower", help="Which way is better.")] = None,
    window: Annotated[
        str | None, typer.Option(metavar=_DURATION, help="What a unit brings for so long counts, then: 2d.")
    ] = None,
    guardrail: Annotated[
        list[str] | None,
        typer.Option(metavar="METRIC=MARGIN", help="What must not become worse by more: errors=0.01. Repeat it."),
    ] = None,
    least_units: Annotated[int | None, typer.Option(metavar="NUMBER", help="That each arm needs for a win.")] = None,
    least_time: Annotated[str | None, typer.Option(metavar=_DURATION, help="Before it can win: 7d.")] = None,
    longest: Annotated[
        str | None, typer.Option(metavar=_DURATION, help="After it, what has not won is taken back: 28d.")
    ] = None,
    alpha: Annotated[
        float | None, typer.Option(metavar="NUMBER", help="How often equal versions may be told apart: 0.05.")
    ] = None,
    yes: Yes = False,
    reason: Reason = "",
    override: Override = False,
) -> None:
    """Begin an experiment of the project file, or one of your own; options go before the file.

    The version takes its share until the figures decide: harm takes it back at once, a win waits for you.
    """
    from store.wire import TrafficChange

    asked = {
        "share": None if share is None else share_of(share),
        "metric": metric,
        "better": better,
        "window": window,
        "guardrails": [_guardrail(word) for word in guardrail] if guardrail else None,
        "least_units": least_units,
        "least_time": least_time,
        "longest": longest,
        "alpha": alpha,
    }
    settings = {key: value for key, value in asked.items() if value is not None}
    if version is None:
        if name:
            raise Usage("--name is for one of your own", remedy=f"`trainshed experiment start {what}` has a name")
        model, name = _defined(shell, what).model, what
    else:
        model, name = what, name or f"{what}_{version}"
    change = TrafficChange(
        do="experiment", name=name, version=version, settings=settings, reason=reason, override=override
    )
    change_traffic(shell, model, change, yes=yes)


def show(
    shell: Shell,
    name: Called,
    last: Annotated[bool, typer.Option("--last", help="As the last look found it, without a new one.")] = False,
) -> None:
    """Where it stands now: units, the metric with its interval, guardrails, the decision and why, and how it came."""
    with shell.daemon() as daemon:
        view = daemon.experiment(name) if last else daemon.look_at_experiment(name)

    def draw() -> Any:
        from tui.draw.experiments import experiment

        return experiment(view)

    shell.show(view, draw)


def list_experiments(shell: Shell) -> None:
    """All that ran, and those of the project file, with what the last look decided."""
    with shell.daemon() as daemon:
        views = daemon.experiments()

    def draw() -> Any:
        from tui.draw.experiments import experiments

        return experiments(views, shell.now)

    shell.show(views, draw)


def stop(shell: Shell, name: Called, yes: Yes = False, reason: Reason = "") -> None:
    """End it: all units are production's again. Of one that was taken back, it says that you have seen that."""
    from store.wire import TrafficChange

    with shell.daemon() as daemon:
        model = daemon.experiment(name).model
    change = TrafficChange(do="stop", kind="experiment", name=name, reason=reason)
    change_traffic(shell, model, change, yes=yes)


def _defined(shell: Shell, name: str) -> ExperimentView:
    """Raises Usage."""
    with shell.daemon() as daemon:
        views = [view for view in daemon.experiments() if view.defined]
    found = next((view for view in views if view.name == name), None)
    if found is None:
        names = ", ".join(view.name for view in views) or "none"
        raise Usage(
            f"the project file has no experiment {name!r}; it has {names}",
            remedy=f"write [experiments.{name}], or `trainshed experiment start MODEL VERSION --metric correct`",
        )
    return found


def _guardrail(word: str) -> dict[str, Any]:
    """`errors=0.01`. Raises Usage."""
    metric, _, margin = word.partition("=")
    try:
        return {"metric": metric, "margin": float(margin)}
    except ValueError:
        raise Usage(f"{word!r} is no METRIC=MARGIN", remedy="write errors=0.01") from None
