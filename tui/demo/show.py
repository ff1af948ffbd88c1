"""What the demo says while it goes: chapters, a bar for each run that is at work, a line for each that ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from store.wire import ACTIVE, ENDED, RunView
from tui.render import state

Watch = Callable[[Sequence[RunView]], None]


class Show:
    """Draws on a terminal; in a pipe the same story as plain lines, without the bars."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._chapter = 0
        self._told: set[int] = set()

    def chapter(self, title: str) -> None:
        self._chapter += 1
        self._console.print(Text(f"\n{self._chapter}. {title}", style="bold"))

    def say(self, what: RenderableType) -> None:
        self._console.print(what)

    @contextmanager
    def following(self, produced: Callable[[RunView], str]) -> Iterator[Watch]:
        """Gives what is to be called with the runs that changed; `produced` says what a run left behind."""
        columns = (
            TextColumn("  {task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self._console, transient=True, disable=not self._console.is_terminal) as bars:
            tasks: dict[int, TaskID] = {}

            def watch(runs: Sequence[RunView]) -> None:
                for run in sorted(runs, key=lambda each: each.id):
                    if run.state in ENDED:
                        self._ended(run, produced)
                        if run.id in tasks:
                            bars.remove_task(tasks.pop(run.id))
                    elif run.state in ACTIVE:
                        if run.id not in tasks:
                            tasks[run.id] = bars.add_task(run.job, total=None, note="")
                        bars.update(tasks[run.id], completed=run.done or 0, total=run.total, note=_note(run))

            yield watch

    @contextmanager
    def alive(self, line: Callable[[], str]) -> Iterator[None]:
        """Meanwhile `line` is drawn anew four times a second; in a pipe it is not."""
        if not self._console.is_terminal:
            yield
            return

        def drawn() -> Text:
            text = Text(f"  {line()}", style="cyan")
            text.truncate(max(self._console.width - 1, 40), overflow="ellipsis")
            return text

        with Live(console=self._console, get_renderable=drawn, refresh_per_second=4, transient=True):
            yield

    def _ended(self, run: RunView, produced: Callable[[RunView], str]) -> None:
        if run.id in self._told:
            return
        self._told.add(run.id)
        seconds = (
            "" if not run.started_at or not run.ended_at else f"{(run.ended_at - run.started_at).total_seconds():.1f} s"
        )
        word = state(run.state)
        word.align("left", len("✔ succeeded"))
        line = Text.assemble("  ", word, f"  {run.job:<26}", f"{seconds:>7}  ", run.reason or produced(run))
        line.truncate(max(self._console.width, 40), overflow="ellipsis")
        self._console.print(line)


def _note(run: RunView) -> str:
    """Where a run is, in a few words."""
    if run.message:
        return run.message
    if run.done is None:
        return run.state
    total = "" if run.total is None else f" of {run.total:,.0f}"
    return f"{run.done:,.0f}{total} {run.unit}"
