"""Experiments as text: where one stands, why, and its intervals over time as lines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from rich.console import Group, RenderableType
from rich.text import Text

from store.wire import AskedView, ExperimentView, IntervalView, LookView, ReportView
from tui.draw.traffic import percent
from tui.render import Heads, Rows, ago, count, heading, number_column, span, table, when, wide_column
from tui.rows.experiments import said

_SIGNS: Final = {"yes": "✔", "no": "✘", "not yet": "…"}
_STYLES: Final = {"promote": "green", "roll back": "red", "invalid": "red", "go on": "cyan"}
_SHOWN: Final = 24
"""Looks that are drawn; JSON has all that are kept."""
_TRACK: Final = 41


def experiments(views: Sequence[ExperimentView], now: datetime) -> RenderableType:
    rows: Rows = [
        [
            view.name,
            view.model,
            _against(view),
            view.asked.metric,
            view.comparison.status if view.comparison else "never ran",
            ago(view.comparison.began_at, now) if view.comparison else "-",
            said(view.report.difference) if view.report else "-",
            _waits(view),
        ]
        for view in views
    ]
    heads: Heads = ["name", "model", "versions", "metric", "status", "begun", "difference", wide_column("because")]
    empty = "there is none: `trainshed experiment start MODEL VERSION --metric correct` begins one"
    return table(heads, rows, empty=empty)


def experiment(view: ExperimentView) -> RenderableType:
    parts: list[RenderableType] = [heading(f"experiment {view.name} of {view.model}"), *_head(view)]
    if view.problem:
        parts.append(Text(f"  the last look failed: {view.problem}", style="yellow"))
    if view.report is None:
        parts.append(
            Text("  nobody has looked yet" if view.comparison else f"  trainshed experiment start {view.name}")
        )
        return Group(*parts)
    parts += [Text(""), *_figures(view.report), *_guardrails(view.report), *_decision(view.report)]
    if view.looks:
        parts += [Text(""), heading("intervals over time"), *(Text(one) for one in over_time(view.looks))]
    return Group(*parts)


def over_time(looks: Sequence[LookView], most: int = _SHOWN) -> list[str]:
    """A line a look, oldest first: when, units, the interval, and the interval as a track about 0."""
    step = -(-len(looks) // most) if looks else 1
    shown = [*looks[:-1:step], looks[-1]] if looks else []
    ends = [abs(end) for one in shown for end in (one.difference.low, one.difference.high) if end is not None]
    reach = max(ends, default=0.0)
    texts = [said(one.difference) for one in shown]
    width = max(map(len, texts), default=0)
    return [
        f"  {when(one.at)}  {one.units:>9,} units  {text.ljust(width)}  {track(one.difference, reach)}  {one.action}"
        for one, text in zip(shown, texts, strict=True)
    ]


def track(found: IntervalView, reach: float, width: int = _TRACK) -> str:
    """`     ├───●──│┤     `: from -reach to +reach, 0 in the middle; blank where nothing is known."""
    cells = [" "] * width
    middle = width // 2
    if found.value is not None and found.low is not None and found.high is not None and reach > 0.0:
        low, value, high = (round(middle + middle * end / reach) for end in (found.low, found.value, found.high))
        cells[low : high + 1] = "─" * (high + 1 - low)
        cells[middle] = "│"
        cells[low], cells[high] = "├", "┤"
        cells[value] = "●"
    else:
        cells[middle] = "│"
    return "".join(cells)


def _head(view: ExperimentView) -> list[RenderableType]:
    one = view.comparison
    parts: list[RenderableType] = []
    if one is not None:
        head = Text.assemble(
            f"  {_against(view)}, ", (one.status, "bold"), f"; begun {when(one.began_at)} by {one.actor}"
        )
        if one.ended_at is not None:
            head.append(f", ended {when(one.ended_at)} by {one.ended_by}")
        parts += [head, Text(f"  {one.reason}")] if one.reason else [head]
    return [*parts, *(Text(f"  {line}", style="dim") for line in _asked(view.asked))]


def _asked(asked: AskedView) -> list[str]:
    longest = "" if asked.longest_seconds is None else f", {span(asked.longest_seconds)} at most"
    return [
        f"asks for {asked.metric}, {asked.better} is better, of {percent(asked.share)} of the units; "
        f"a unit counts {span(asked.window_seconds)} after it met its version",
        f"at least {count(asked.least_units)} units in each arm and {span(asked.least_seconds)}{longest}; "
        f"alpha {asked.alpha:g} over all looks",
    ]


def _figures(report: ReportView) -> list[RenderableType]:
    arms = ["control", "treatment"]
    rows: Rows = [
        [
            f"v{arm.version}",
            name,
            percent(arm.share),
            count(arm.exposed),
            count(arm.units),
            percent(1.0 - arm.units / arm.exposed) if arm.exposed else "-",
            "-" if arm.mean is None else f"{arm.mean:.5g}",
        ]
        for arm, name in zip(report.arms, arms, strict=True)
    ]
    heads: Heads = ["version", "arm", *map(number_column, ("planned", "units", "counted", "pending", report.metric))]
    lines = [
        f"  {report.metric}  {said(report.difference)}, treatment minus control",
        f"  sizes  p = {report.mismatch:.3g} that they are as planned",
    ]
    for number, words in (
        (report.crossed, "units met both versions, and count in neither"),
        (report.restated, "outcomes came after their unit had been counted, and restate it"),
        (report.unreadable, "labels could not be read, and count for nothing"),
    ):
        if number:
            lines.append(f"  {count(number)} {words}")
    return [table(heads, rows, empty=""), Text(""), *map(Text, lines)]


def _guardrails(report: ReportView) -> list[RenderableType]:
    if not report.guardrails:
        return []
    rows: Rows = [
        [f"{_SIGNS[one.answer]} {one.metric}", one.better, f"{one.margin:g}", said(one.difference), one.reason]
        for one in report.guardrails
    ]
    heads: Heads = ["guardrail", "better", number_column("margin"), "difference", wide_column("because")]
    return [Text(""), table(heads, rows, empty="")]


def _decision(report: ReportView) -> list[RenderableType]:
    decision = report.decision
    head = Text.assemble(
        (decision.action, f"bold {_STYLES[decision.action]}"), f", {when(report.at)}: {decision.reason}"
    )
    return [Text(""), head, *(Text(f"  {_SIGNS[one.answer]} {one.reason}") for one in report.findings)]


def _against(view: ExperimentView) -> str:
    if view.comparison is None:
        return "-"
    return f"v{view.comparison.treatments[0].version} against v{view.comparison.control}"


def _waits(view: ExperimentView) -> str:
    if view.comparison is not None and view.comparison.status != "running":
        return view.comparison.reason
    return view.report.decision.reason if view.report else ""
