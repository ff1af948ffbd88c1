"""`monitors`: what is watched, where it stands, and how often it would have alarmed."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tui.verbs import complete
from tui.verbs.frame import Shell, group, verb
from tui.verbs.moments import moment

Monitor = Annotated[
    str, typer.Argument(metavar="NAME", help="See `trainshed monitors`.", autocompletion=complete.monitors)
]
Since = Annotated[
    str | None, typer.Option(metavar="TIME", help="Only windows that ended after it; without a zone, UTC.")
]


def add_to(app: typer.Typer) -> None:
    purpose = "Monitors: requests and data, window by window, against what they were."
    inner = group(app, "monitors", purpose=purpose, bare=list_monitors)
    verb(inner, "list", example="trainshed monitors list")(list_monitors)
    verb(inner, "show", example="trainshed monitors show late --last 14")(show)
    verb(inner, "backtest", example="trainshed monitors backtest late --set limits.psi=0.3")(backtest)


def list_monitors(shell: Shell) -> None:
    """Every monitor: what it watches, what its last report says, and when it looks again."""
    with shell.daemon() as daemon:
        found = daemon.monitors()

    def draw() -> Any:
        from tui.draw.monitors import monitor_table

        return monitor_table(found, shell.now)

    shell.show(found, draw)


def show(
    shell: Shell,
    name: Monitor,
    column: Annotated[str | None, typer.Option(metavar="NAME", help="Only this column, over time.")] = None,
    since: Since = None,
    last: Annotated[int, typer.Option(metavar="NUMBER", min=1, max=500, help="Windows.")] = 12,
) -> None:
    """Where a monitor stands: its last report in sentences, what it found, and its windows, newest first."""
    begin = None if since is None else moment(since)
    with shell.daemon() as daemon:
        view = daemon.monitor(name)
        reports = daemon.drift_reports(name, limit=1).items
        windows = daemon.watch_windows(name, column=column, since=begin, limit=last).items

    def draw() -> Any:
        from tui.draw.monitors import monitor

        return monitor(view, reports[0] if reports else None, windows, shell.now, column=column)

    answer = {
        "monitor": view.model_dump(mode="json"),
        "report": reports[0].model_dump(mode="json") if reports else None,
        "windows": [one.model_dump(mode="json") for one in windows],
    }
    shell.show(answer, draw)


def backtest(
    shell: Shell,
    name: Monitor,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Instead of the project file's: limits.psi=0.3. Repeat it."),
    ] = None,
    since: Since = None,
) -> None:
    """How often it would have alarmed, over the windows that are stored: when, and why."""
    begin = None if since is None else moment(since)
    with shell.daemon() as daemon:
        view = daemon.backtest(name, since=begin, settings=settings or [])

    def draw() -> Any:
        from tui.draw.monitors import backtested

        return backtested(view)

    shell.show(view, draw)
