"""Arms, comparisons, shadows and plans of traffic as text."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from store.wire import ArmView, ComparisonView, EndpointView, ShadowView, TrafficPlanView
from tui.draw.models import gate_table
from tui.render import Heads, Rows, count, heading, number_column, table, when, wide_column

_SIGNS = {"yes": "✔", "no": "✘", "not yet": "…"}


def parted(endpoint: EndpointView) -> RenderableType | None:
    """What is compared and who is the shadow; None where one version has it all, and nothing was ever compared."""
    parts: list[RenderableType] = []
    if endpoint.comparison is not None:
        parts += _comparison(endpoint.comparison)
    if len(endpoint.arms) > 1:
        parts.append(_arms(endpoint.arms))
    if endpoint.shadow is not None:
        parts.append(shadow(endpoint.shadow))
    return Group(Text(""), heading(f"traffic of {endpoint.model}"), *parts) if parts else None


def plan(view: TrafficPlanView) -> RenderableType:
    """What would happen, whose gates were asked, and how to undo it."""
    parts: list[RenderableType] = [heading(f"{view.model}: {view.do}"), Text("")]
    shares: Rows = [
        [f"v{version}", _percent(before), _percent(after)] for version, before, after in _before_and_after(view)
    ]
    parts.append(table(["version", number_column("now"), number_column("then")], shares, empty="nothing answers"))
    for version, gates in view.gates.items():
        parts += [Text(""), heading(f"gates of version {version}"), gate_table(gates)]
    for name, lines, style in (("what happens", view.effects, ""), ("mind", view.warnings, "yellow")):
        if lines:
            parts += [Text(""), heading(name), *(Text(f"  {line}", style=style) for line in lines)]
    return Group(*parts, Text(""), Text(f"undo  {view.undo}"))


def percent(share: float) -> str:
    """`1 %`, `12.5 %`."""
    return f"{share * 100:.4g} %"


def _comparison(one: ComparisonView) -> list[RenderableType]:
    versions = ", ".join(f"v{treatment.version}" for treatment in one.treatments)
    style = {"running": "cyan", "rolled back": "red", "invalid": "red"}.get(one.status, "")
    name = f" {one.name}" if one.name else ""
    head = Text.assemble((f"{one.kind}{name} of {versions}", "bold"), " against ", f"v{one.control}, ")
    head.append(one.status, style=style)
    ended = f" {when(one.ended_at)} by {one.ended_by}" if one.ended_at is not None else ""
    head.append(f"{ended}; begun {when(one.began_at)} by {one.actor}")
    lines: list[RenderableType] = [head]
    if one.reason:
        lines.append(Text(f"  {one.reason}"))
    if one.status != "running":
        return lines
    stages = "" if not one.stages else f" of {len(one.stages)}"
    lines.append(Text(f"  stage {one.stage + 1}{stages} since {when(one.since)}"))
    lines += [Text(f"  waits: {one.waits}", style="cyan")] if one.waits else []
    lines += [Text(f"  {_SIGNS[found.answer]} {found.reason}") for found in one.findings]
    return lines


def _arms(arms: Sequence[ArmView]) -> RenderableType:
    names = ("share", "requests", "errors", "slow", "p50 ms", "p99 ms", "compared", "units", "with errors", "slow for")
    rows: Rows = [
        [
            f"v{one.version}",
            one.role,
            Text("✔", style="green") if one.ready else Text("✘", style="red"),
            percent(one.share),
            *(count(n) for n in (one.requests, one.errors, one.slow)),
            *("-" if n is None else f"{n:.1f}" for n in (one.p50_ms, one.p99_ms)),
            *("-" if n is None else count(n) for n in (one.compared, one.units, one.error_units, one.slow_units)),
        ]
        for one in arms
    ]
    heads: Heads = ["version", "arm", "ready", *(number_column(name) for name in names)]
    return table(heads, rows, empty="nothing answers")


def shadow(one: ShadowView) -> RenderableType:
    """Who gets copies, what became of them, and why it does not run if it does not."""
    why = f": {one.reason}" if one.reason else ""
    head = Text.assemble((f"shadow v{one.version}", "bold"), f", {percent(one.share)} of the requests, since ")
    head.append(f"{when(one.since)} by {one.actor}{why}")
    cells = ["-" if n is None else f"{n:.1f}" for n in (one.p50_ms, one.p99_ms)]
    rows: Rows = [
        [
            *(count(n) for n in (one.answered, one.failed)),
            Text(count(one.dropped), style="yellow" if one.dropped else ""),
            *cells,
        ]
    ]
    lines: list[RenderableType] = [head]
    if one.why_not:
        lines.append(Text(f"  ✘ it does not run, and gets no copies: {one.why_not}", style="yellow"))
    names = ("answered", "failed", "dropped", "p50 ms", "p99 ms")
    return Group(*lines, table([*(number_column(name) for name in names), wide_column("")], [[*rows[0], ""]], empty=""))


def _before_and_after(view: TrafficPlanView) -> list[tuple[int, float, float]]:
    before, after = ({arm.version: arm.share for arm in arms} for arms in (view.before, view.after))
    return [
        (version, before.get(version, 0.0), after.get(version, 0.0)) for version in dict.fromkeys([*before, *after])
    ]


def _percent(share: float) -> str:
    return percent(share) if share else "-"
