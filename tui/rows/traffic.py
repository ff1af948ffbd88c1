"""Who takes which share, what is compared, who gets copies, and what a change would do: as lines. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from tui.rows.gates import short_gates
from tui.rows.words import bar, clock, count, percent, span
from tui.table.column import Cell, Frame
from tui.text import Line, heading, line

if TYPE_CHECKING:
    from store.wire import ArmView, ComparisonView, EndpointView, ShadowView, TrafficPlanView
_BAR: Final = 20
_ABSENT: Final = "what answers goes on without it; H ends it"
_ANSWERS: Final = {"yes": Cell("✔ ", "good"), "no": Cell("✘ ", "bad"), "not yet": Cell("… ", "live")}


def about(view: EndpointView, frame: Frame) -> list[Line]:
    """All that is known of an endpoint's traffic."""
    lines = [heading("arms")]
    for arm in view.arms:
        lines += _arm(arm)
    if view.previous is not None:
        lines += [line((f"v{view.previous} ".ljust(5), "dim"), ("warm, for one key back: B", "dim"))]
    if view.comparison is not None:
        lines += [line(), *comparison(view.comparison, frame)]
    if view.shadow is not None:
        lines += [line(), *shadow(view.shadow, frame)]
    logged = f"{count(view.logged)} lines of the prediction log are written"
    lost = f", {count(view.dropped)} found no room" if view.dropped else ""
    return [*lines, line(), line((logged, "dim"), (lost, "warn"))]


def _arm(arm: ArmView) -> list[Line]:
    sign = Cell("● ", "good") if arm.ready else Cell("✘ ", "bad")
    share = f" {percent(arm.share).rjust(6)}  "
    lines = [
        line(sign, (f"v{arm.version} ".ljust(5), "strong"), (bar(arm.share, _BAR), "live"), share, (arm.role, "dim"))
    ]
    parts = [f"{count(arm.requests)} requests", f"{count(arm.errors)} errors", f"{count(arm.slow)} slow"]
    if arm.units is not None:
        parts.append(f"{count(arm.units)} units, {count(arm.error_units or 0)} with errors")
    return [*lines, line(("       " + ", ".join(parts), "dim"))]


def comparison(one: ComparisonView, frame: Frame) -> list[Line]:
    """Which stage, since when, what it waits for, and every rule's answer."""
    names = ", ".join(f"v{treatment.version}" for treatment in one.treatments)
    tone = {"running": "live", "rolled back": "bad", "invalid": "bad"}.get(one.status, "dim")
    name = f" {one.name}" if one.name else ""
    lines = [line((f"{one.kind}{name} of {names} against v{one.control}  ", "strong"), Cell(one.status, tone))]  # type: ignore[arg-type]
    if one.reason:
        lines.append(line(f"  {one.reason}"))
    if one.status != "running":
        ended = f"  ended {clock(one.ended_at, frame)} by {one.ended_by}"
        unseen = one.status in ("rolled back", "invalid") and one.seen_by is None
        lines.append(line((ended, "dim"), ("; C says that it was seen", "dim") if unseen else ""))
        return lines
    lines += [line(("  stage  ", "dim"), _stage(one), (f", since {clock(one.since, frame)}", "dim"))]
    if one.stages:
        lines.append(line(("         ", "dim"), *_way(one)))
    if one.passed:
        done = "has won" if one.kind == "experiment" else "has passed its last stage"
        where = "d shows it, P there" if one.kind == "experiment" else "P on Models (3)"
        lines.append(line((f"  it {done} and waits to be promoted: {where}", "good")))
    if one.waits:
        lines.append(line(("  waits  ", "dim"), (one.waits, "live")))
    return [*lines, *(line("  ", _ANSWERS[rule.answer], rule.reason) for rule in one.findings)]


def _stage(one: ComparisonView) -> str:
    if not one.stages:
        return ", ".join(f"v{treatment.version} {percent(treatment.share)}" for treatment in one.treatments)
    at = one.stages[min(one.stage, len(one.stages) - 1)]
    bake = f"{span(at.bake_seconds)} and {count(at.least)} requests at least"
    return f"{one.stage + 1} of {len(one.stages)}: {percent(at.share)} of the units, {bake}"


def _way(one: ComparisonView) -> list[Cell]:
    """`1% → 5% → 25%`, the present one bright."""
    cells: list[Cell] = []
    for number, stage in enumerate(one.stages):
        cells += [Cell(" → ", "dim")] if number else []
        cells.append(Cell(percent(stage.share), "key" if number == one.stage else "dim"))
    return cells


def shadow(one: ShadowView, frame: Frame) -> list[Line]:
    lines = [
        line(
            (f"shadow v{one.version}  ", "strong"),
            ("✔ ready", "good") if one.ready else ("✘ does not run" if one.why_not else "… not loaded", "warn"),
            (f"   gets {percent(one.share)} of the requests since {clock(one.since, frame)}, by {one.actor}", "dim"),
        )
    ]
    if one.why_not:
        lines += [line((f"  it gets no copies: {one.why_not}", "warn")), line(("  " + _ABSENT, "dim"))]
    times = "" if one.p99_ms is None else f", p99 {one.p99_ms:.1f} ms"
    lost = f", {count(one.dropped)} dropped for want of room" if one.dropped else ""
    said = f"  {count(one.answered)} answered, {count(one.failed)} failed{times}"
    return [*lines, line(said, (lost, "warn"))]


# ---- plans -----------------------------------------------------------------------------------------------------------


def plan(view: TrafficPlanView) -> list[Line]:
    """Shares before and after, whose gates were asked, what happens, how to undo it."""
    lines = shares(view)
    if view.shadow_before != view.shadow_after:
        before, after = (f"v{one}" if one is not None else "nobody" for one in (view.shadow_before, view.shadow_after))
        lines.append(line(("shadow  ", "dim"), (before, "strong"), " → ", (after, "strong")))
    if view.needs_override:
        lines += [
            line(),
            line(("✘ the gates refuse it", "bad")),
            line("  To do it against them, give a reason. It is recorded as an override and shown for ever."),
        ]
    for version, gates in view.gates.items():
        lines += [line(), heading(f"gates of v{version}"), *short_gates(gates)]
    for title, words, tone in (("what happens", view.effects, ""), ("mind", view.warnings, "warn")):
        if words:
            lines += [line(), heading(title), *(line(("· ", "dim"), Cell(one, tone)) for one in words)]  # type: ignore[arg-type]
    return [*lines, line(), line(("undo  ", "dim"), view.undo)]


def shares(view: TrafficPlanView) -> list[Line]:
    """`v2  ████████ 90%  →  v2 █████ 50%`, a line a version."""
    before, after = ({arm.version: arm.share for arm in arms} for arms in (view.before, view.after))
    return [
        line(
            (f"v{version}".ljust(5), "strong"),
            _share(before.get(version, 0.0)),
            " → ",
            _share(after.get(version, 0.0)),
            " ",
            (bar(after.get(version, 0.0), _BAR), "live"),
        )
        for version in dict.fromkeys([*before, *after])
    ]


def _share(part: float) -> str:
    return (percent(part) if part else "-").rjust(6)


def versions_of(arms: Sequence[ArmView]) -> str:
    """`v2 90%, v3 10%`."""
    return ", ".join(f"v{arm.version} {percent(arm.share)}" for arm in arms)
