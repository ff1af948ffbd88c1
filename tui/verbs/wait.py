"""Waiting for a run with its progress in sight."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from store.wire import ENDED, GOOD, RunView
from tui.client import Client
from tui.draw.runs import fault, progress, took
from tui.render import console, state
from tui.verbs.frame import INTERRUPTED, Shell


def submitted(run: RunView) -> str:
    return f"run {run.id} ({run.job}) is {run.state}: `trainshed runs show {run.id}`"


def wait_and_report(shell: Shell, daemon: Client, run: RunView) -> None:
    """Until the run has ended; then its result, and exit 1 unless it is good."""
    try:
        ended = watch(daemon, run, console(sys.stderr))
    except KeyboardInterrupt:
        shell.note(
            f"\nrun {run.id} goes on: `trainshed runs show {run.id}` shows it, `trainshed runs cancel {run.id}` ends it"
        )
        raise typer.Exit(INTERRUPTED) from None
    said = ended.reason or ended.message
    reason = f": {said}" if said else ""
    shell.say(ended, f"run {ended.id} ({ended.job}) {ended.state} after {took(ended, shell.now)}{reason}")
    if ended.state not in GOOD:
        if ended.fault is not None and not shell.as_json:
            shell.note(str(fault(ended.fault)))
        raise typer.Exit(1)


def watch(daemon: Client, run: RunView, out: Console) -> RunView:
    """Shows the run and those it waits for: on a terminal in place, else a line for each new state."""
    board = Board(run)
    if not out.is_terminal:

        def tell(changed: Sequence[RunView]) -> None:
            for view in board.news(changed):
                out.print(line(view), soft_wrap=True)

        tell([run])
        return daemon.wait_for(run.id, tell)
    with Live(board.draw(), console=out, auto_refresh=False, transient=True) as live:

        def redraw(changed: Sequence[RunView]) -> None:
            board.news(changed)
            live.update(board.draw(), refresh=True)

        return daemon.wait_for(run.id, redraw)


class Board:
    """The runs of one request: the one asked for, and its upstream."""

    def __init__(self, run: RunView) -> None:
        self._group = run.id
        self._runs: dict[int, RunView] = {}

    def news(self, changed: Sequence[RunView]) -> list[RunView]:
        """Takes the changes in; those of our runs whose state is new, or that wait for something else now."""
        fresh = []
        for view in changed:
            if self._group not in (view.id, view.group):
                continue
            before = self._runs.get(view.id)
            self._runs[view.id] = view
            waits = view.state == "queued" and before is not None and before.reason != view.reason
            if before is None or before.state != view.state or waits:
                fresh.append(view)
        return fresh

    def draw(self) -> RenderableType:
        ended = [view for _, view in sorted(self._runs.items()) if view.state in ENDED]
        open_ = [view for _, view in sorted(self._runs.items()) if view.state not in ENDED]
        return Group(*(line(view) for view in [*ended[-5:], *open_[:10]]))


def line(view: RunView) -> Text:
    return Text.assemble(f"run {view.id:<4} {view.job:<24} ", state(view.state), "  ", progress(view))
