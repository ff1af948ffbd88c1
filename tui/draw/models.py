"""Models, versions and plans as text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.text import Text

from store.wire import AliasEventView, GateView, ModelView, PlanView, ReplayView, VersionDetail, VersionView
from tui.render import Heads, Rows, ago, figure, heading, interval, number_column, outcome, table, when, wide_column
from tui.rows import replay


def model_table(models: Sequence[ModelView]) -> RenderableType:
    rows: Rows = [
        [
            model.name,
            model.task,
            model.objective,
            str(model.versions),
            "-" if model.latest is None else f"v{model.latest}",
            ", ".join(f"{alias} v{version}" for alias, version in model.aliases.items()) or "-",
            "-" if model.production is None else score(model.production),
        ]
        for model in models
    ]
    heads: Heads = ["model", "task", "objective", number_column("versions"), "latest", "aliases", "in production"]
    return table(heads, rows, empty="the project defines no models")


def version_table(versions: Sequence[VersionView], now: datetime) -> RenderableType:
    rows: Rows = [
        [
            f"v{v.version}",
            str(v.run),
            ago(v.created_at, now),
            score(v),
            against(v),
            figure(v.baseline.get(v.objective)),
            verdict(v),
            ", ".join([*v.aliases, *(["ready to serve"] if v.pressed and not v.aliases else [])]),
        ]
        for v in versions
    ]
    objective = versions[0].objective if versions else "objective"
    heads: Heads = [
        "version",
        number_column("run"),
        "made",
        objective,
        "against production",
        "baseline",
        "gates",
        "aliases",
    ]
    return table(heads, rows, empty="no versions yet: `trainshed run train:MODEL` makes one")


def score(version: VersionView) -> str:
    """The objective with its interval."""
    return interval(version.metrics[version.objective]) if version.objective in version.metrics else "-"


def against(version: VersionView) -> str:
    """The difference to what was in production when it was judged: `+0.0164 [+0.0123, +0.0205] to v1`."""
    if version.judged_against is None:
        return "-"
    d = version.judged_against.difference
    return f"{d.value:+.4f} [{d.low:+.4f}, {d.high:+.4f}] to v{version.judged_against.version}"


def verdict(version: VersionView) -> Text:
    if version.verdict is None:
        return Text("? not judged", style="yellow")
    failed = [gate.gate for gate in version.verdict.gates if gate.outcome == "fail"]
    if version.verdict.passed:
        return Text("✔ passed", style="green")
    return Text(f"✘ {', '.join(failed)}", style="red")


def version_detail(detail: VersionDetail, now: datetime) -> RenderableType:
    v = detail.version
    names = dict.fromkeys([v.objective, *v.metrics])
    metrics: Rows = [[n, interval(v.metrics[n]), figure(v.baseline.get(n))] for n in names if n in v.metrics]
    parts: list[RenderableType] = [
        Text.assemble((f"{v.model} v{v.version}", "bold"), "  ", verdict(v), "  ", ", ".join(v.aliases)),
        *([Text("ready to serve: its promotion compiles nothing")] if v.pressed else []),
        Text(f"made {ago(v.created_at, now)} by run {v.run}, bundle {v.digest[:12]}"),
        Text(""),
        heading("metrics on the test rows, with 95 % intervals"),
        table(["metric", "value", "baseline"], metrics, empty="none"),
    ]
    if v.verdict is not None:
        parts += [Text(""), heading("gates"), gate_table(v.verdict.gates)]
    lineage: Rows = [[name, _short(value)] for name, value in detail.lineage.items()]
    parts += [Text(""), heading("lineage"), table(["name", wide_column("value")], lineage, empty="none")]
    if detail.aliases:
        parts += [Text(""), heading("aliases"), alias_history(detail.aliases)]
    return Group(*parts)


def gate_table(gates: Sequence[GateView]) -> RenderableType:
    rows: Rows = [
        [gate.gate, outcome(gate.outcome), figure(gate.value), figure(gate.limit), gate.reason] for gate in gates
    ]
    heads: Heads = ["gate", "outcome", number_column("value"), number_column("limit"), wide_column("because")]
    return table(heads, rows, empty="no gates")


def alias_history(moves: Sequence[AliasEventView]) -> RenderableType:
    rows: Rows = [
        [when(move.at), move.alias, move.action, _way(move.from_version, move.to_version), move.actor, _why(move)]
        for move in moves
    ]
    return table(["at", "alias", "action", "move", "by", wide_column("why")], rows, empty="no moves")


def plan(view: PlanView) -> RenderableType:
    """What would happen, by what evidence, and how to undo it."""
    title = f"{view.model}: {view.alias} {_way(view.from_version, view.to_version)}"
    parts: list[RenderableType] = [heading(title), Text(""), gate_table(view.gates)]
    if view.differences:
        parts += [Text(""), heading("difference on the same rows, new minus live"), _differences(view)]
    if view.replay is not None:
        parts += [Text(""), *replayed(view.replay)]
    sections = [
        ("inputs and outputs", view.signature_changes, ""),
        ("what happens", view.effects, ""),
        ("mind", view.warnings, "yellow"),
    ]
    for name, lines, style in sections:
        if lines:
            parts += [Text(""), heading(name), *(Text(f"  {line}", style=style) for line in lines)]
    parts += [Text(""), Text.assemble(("undo  ", "bold"), view.undo)]
    if view.needs_override:
        parts.append(Text("The gates refuse it: it needs --override and a --reason, shown for ever.", style="red"))
    elif not view.allowed:
        parts.append(Text("There is nothing to do.", style="yellow"))
    return Group(*parts)


def replayed(view: ReplayView) -> list[Text]:
    """A heading, and the lines of the plan box."""
    lines = [Text("  ") + Text("".join(piece.text for piece in one)) for one in replay.lines(view)]
    return [heading(replay.title(view)), *lines]


def _differences(view: PlanView) -> RenderableType:
    rows: Rows = [
        [
            d.metric,
            f"{d.difference.value:+.4f} [{d.difference.low:+.4f}, {d.difference.high:+.4f}]",
            "-" if d.p_value is None else f"p = {d.p_value:.2g}",
            d.test,
            f"{d.rows:,} rows",
        ]
        for d in view.differences
    ]
    return table(["metric", "difference", "", "test", ""], rows, empty="")


def _way(before: int | None, after: int) -> str:
    return f"{'nothing' if before is None else f'v{before}'} → v{after}"


def _why(move: AliasEventView) -> str:
    return f"{move.reason} (against the gates)" if move.overridden else move.reason


def _short(value: object) -> str:
    words = value if isinstance(value, str) else json.dumps(value)
    return words if len(words) <= 200 else words[:197] + "…"
