"""Old runs that go, and those that stay, as text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.text import Text

from store.wire import PruneRun, PruneView
from tui.render import Heads, ago, heading, number_column, size, table, wide_column


def prune(view: PruneView, now: datetime) -> RenderableType:
    parts: list[RenderableType] = [Text(_sum(view))]
    if view.jobs:
        heads: Heads = ["job", number_column("runs"), "ended from", wide_column("to")]
        rows = [[one.job, f"{one.runs:,}", ago(one.first, now), ago(one.last, now)] for one in view.jobs]
        parts += [Text(""), heading("go"), table(heads, rows, empty="")]
    if view.stays:
        more = view.staying - len(view.stays)
        parts += [Text(""), heading("stay, though they are old"), _named(view.stays, now)]
        parts += [Text(f"and {more:,} more", style="dim")] if more else []
    return Group(*parts)


def _sum(view: PruneView) -> str:
    rule = 'daemon.keep_runs is "off"' if view.keep == "off" else f"runs stay for {view.keep} after their end"
    newest = f"and the newest {view.keep_newest} of each job in any case"
    if not view.runs:
        return f"no run is to go: {rule}, {newest}"
    least = "" if view.complete else "at least "
    what = "run goes" if view.runs == 1 else "runs go"
    of = "" if view.measured == view.runs else f" of the first {view.measured:,}"
    return f"{least}{view.runs:,} {what}, {size(view.bytes)}{of}: {rule}, {newest}"


def _named(runs: Sequence[PruneRun], now: datetime) -> RenderableType:
    rows = [[str(one.run), one.job, ago(one.ended_at, now), one.why] for one in runs]
    return table([number_column("run"), "job", "ended", wide_column("because")], rows, empty="")
