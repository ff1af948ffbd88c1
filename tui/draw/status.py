"""The state of the whole shed as text."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from rich.console import Group, RenderableType
from rich.text import Text

from store.wire import BoxView, NeedSeverity, StatusView
from tui.draw.runs import run_table
from tui.draw.schedules import schedule_table
from tui.render import Rows, ago, heading, size, span, table, wide_column

_MARKS: Final[Mapping[NeedSeverity, tuple[str, str]]] = {
    "fail": ("✘", "red"),
    "warn": ("!", "yellow"),
    "note": ("·", "cyan"),
}


def status(view: StatusView, now: datetime) -> RenderableType:
    """What needs a person first, then what is live, what runs, what comes."""
    parts: list[RenderableType] = [
        Text.assemble(
            (view.project, "bold"), "  ", _health(view), f"  up {span(now - view.started_at)}, pid {view.pid}"
        ),
        Text(view.home, style="dim"),
    ]
    parts += [Text(box(view.box))] if view.box else []
    parts += [Text(""), heading("needs you"), _needs(view)]
    if view.production:
        parts += [Text(""), heading("in production"), _production(view, now)]
    for title, runs in (("running", view.running), ("waiting", view.waiting)):
        if runs:
            parts += [Text(""), heading(title), run_table(runs, now)]
    if view.next_schedules:
        parts += [Text(""), heading("next"), schedule_table(view.next_schedules, now)]
    counted = ", ".join(f"{number:,} {state}" for state, number in view.runs.items() if number)
    parts += [Text(""), Text(f"runs: {counted or 'none yet'}", style="dim")]
    return Group(*parts)


def box(view: BoxView) -> str:
    """One line about the machine."""
    parts = [
        f"cpu {view.cpu_percent:.0f} % of {view.cpu_count}",
        f"memory {size(view.memory_used)} of {size(view.memory_total)}",
        f"disk {size(view.disk_free)} free of {size(view.disk_total)}",
        *(f"gpu {g.index} {g.utilisation:.0f} %, {size(g.memory_used)} of {size(g.memory_total)}" for g in view.gpus),
    ]
    return "   ".join(parts)


def _health(view: StatusView) -> Text:
    if view.degraded:
        return Text(f"! {view.degraded}", style="yellow")
    return Text("✔ working", style="green")


def _needs(view: StatusView) -> RenderableType:
    rows: Rows = [
        [Text(f"{_MARKS[need.severity][0]} ", style=_MARKS[need.severity][1]) + need.message, need.command]
        for need in view.needs_you
    ]
    return table([wide_column(""), "do"], rows, empty="nothing")


def _production(view: StatusView, now: datetime) -> RenderableType:
    rows: Rows = [[a.model, f"v{a.version}", ago(a.since, now), a.actor, a.reason] for a in view.production]
    return table(["model", "version", "since", "by", wide_column("why")], rows, empty="nothing")
