"""The shed as it stood at a moment, as text."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from store.wire import EventView, MomentView, RunThenView
from tui.draw.schedules import event_table
from tui.render import Heads, heading, number_column, span, table, when, wide_column


def moment(view: MomentView, events: Sequence[EventView]) -> RenderableType:
    """What was live first, then what ran, waited and wanted somebody, then the last events before it."""
    parts: list[RenderableType] = [Text(f"as it stood at {when(view.at)}", style="bold")]
    parts += [Text(""), heading("live"), _aliases(view)]
    for title, runs in (("running", view.running), ("waiting", view.queued)):
        parts += [Text(""), heading(title), _runs(runs, view)]
    if view.removed:
        parts += [Text(f"and {view.removed:,} that have been removed since by retention", style="dim")]
    parts += [Text(""), heading("wanted somebody"), _needs(view)]
    parts += [Text(""), heading("before it"), event_table(events)]
    return Group(*parts)


def _needs(view: MomentView) -> RenderableType:
    rows = [[need.subject, need.severity, need.message] for need in view.needs_you]
    return table(["about", "", wide_column("what")], rows, empty="nothing")


def _aliases(view: MomentView) -> RenderableType:
    rows = [[a.model, a.alias, f"v{a.version}", when(a.since), a.actor, a.reason] for a in view.aliases]
    return table(["model", "alias", "version", "since", "by", wide_column("why")], rows, empty="nothing yet")


def _runs(runs: Sequence[RunThenView], view: MomentView) -> RenderableType:
    rows = [[str(r.id), r.job, r.state, span(view.at - r.since), str(r.attempt), r.actor, r.message] for r in runs]
    heads: Heads = [number_column("run"), "job", "state", "for", number_column("try"), "by", wide_column("")]
    return table(heads, rows, empty="nothing")
