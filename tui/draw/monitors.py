"""Monitors as text: a line each; one with its report, what it found, and its windows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from rich.console import Group, RenderableType
from rich.text import Text

from store.wire import (
    BacktestView,
    DriftReportView,
    DriftWord,
    MonitorView,
    WatchFinding,
    WatchWindowView,
    WindowColumn,
)
from tui.render import Heads, Rows, ago, count, heading, number_column, share, table, when, wide_column

STYLES: Final[dict[DriftWord, str]] = {"drifted": "red", "steady": "green", "not yet": "dim"}
SIGNS: Final[dict[DriftWord, str]] = {"drifted": "!", "steady": "✓", "not yet": "…"}
_SEVERITIES: Final = {"critical": "bold red", "warning": "yellow", "info": "cyan"}


def monitor_table(views: Sequence[MonitorView], now: datetime) -> RenderableType:
    rows: Rows = [
        [
            one.name,
            _subject(one),
            f"{one.window} / {one.reference}",
            said(one.state) if one.state else Text("-", style="dim"),
            ago(one.at, now),
            "paused" if one.paused else ago(one.next_at, now),
            count(one.stored),
            one.reason,
        ]
        for one in views
    ]
    heads: Heads = ["name", "watches", "windows", "state", "looked", "next", "kept", wide_column("because")]
    empty = "there is none: a model that is served is watched, and [monitors.NAME] of trainshed.toml watches more"
    return table(heads, rows, empty=empty)


def monitor(
    view: MonitorView,
    report: DriftReportView | None,
    windows: Sequence[WatchWindowView],
    now: datetime,
    *,
    column: str | None,
) -> RenderableType:
    parts: list[RenderableType] = [heading(f"monitor {view.name}: {_subject(view)}"), *_head(view, now)]
    if report is not None:
        parts += [Text(""), *_report(report)]
    parts += [Text(""), window_table(windows, column)]
    return Group(*parts)


def window_table(windows: Sequence[WatchWindowView], column: str | None = None) -> RenderableType:
    """A line a window, newest first. With a column, its measures; else the columns at their limits."""
    if column is not None:
        return _measures_over_time(windows, column)
    heads: Heads = [
        "window",
        "version",
        *map(number_column, ("rows", "labelled", "quality")),
        wide_column("at a limit"),
    ]
    rows: Rows = [
        [
            f"{when(one.start)} to {when(one.end)}",
            _version(one.version),
            count(one.rows),
            share(one.labelled / one.rows) if one.labelled and one.rows else "-",
            _quality(one),
            _reached(one),
        ]
        for one in windows
    ]
    return table(heads, rows, empty="no window is full yet")


def backtested(view: BacktestView) -> RenderableType:
    style = "yellow" if view.alarms else "green"
    span = f"{view.windows} windows, {when(view.since)} to {when(view.until)}"
    parts: list[RenderableType] = [Text(f"{view.monitor}: {view.sentence}", style=style), Text(span, style="dim")]
    if view.alarms:
        heads: Heads = ["from", "to", number_column("windows"), "version", "columns", wide_column("at first because")]
        rows: Rows = [
            [
                when(one.at),
                when(one.until),
                count(one.windows),
                _version(one.version),
                ", ".join(one.columns),
                one.reason,
            ]
            for one in view.alarms
        ]
        parts.append(table(heads, rows, empty=""))
    parts += [Text(f"note: {note}", style="yellow") for note in view.notes]
    return Group(*parts)


def said(state: DriftWord) -> Text:
    return Text(f"{SIGNS[state]} {state}", style=STYLES[state])


def _subject(view: MonitorView) -> str:
    if view.model is None:
        return f"dataset {view.dataset}"
    return f"model {view.model}" + (f" v{view.version}" if view.version else "")


def _head(view: MonitorView, now: datetime) -> Iterator[Text]:
    if view.description:
        yield Text(f"  {view.description}")
    owner = f", {view.owner}'s" if view.owner else ""
    made = "follows from what is served" if view.implied else f"of the project file{owner}"
    yield Text(f"  {made}; windows of {view.window} against {_against(view)}", style="dim")
    rule = f"{view.needed} of the last {view.windows} windows of at least {view.least_rows:,} rows"
    yield Text(f"  a column has drifted when one measure is at its limit in {rule}", style="dim")
    looks = "paused" if view.paused else f"every {view.every}, next {ago(view.next_at, now)}"
    yield Text(f"  looks {looks} (schedule {view.schedule or 'none'})", style="dim")
    if view.kept:
        yield Text(f"  what is told of a window stays for {view.kept}", style="dim")
    if view.retrains:
        yield Text(f"  trains again {view.retrains}", style="dim")


def _against(view: MonitorView) -> str:
    words = {"training": "what the version learned from", "trailing": "the windows before"}
    return words.get(view.reference, "the same one of the last cycle")


def _report(report: DriftReportView) -> Iterator[RenderableType]:
    line = Text(f"{SIGNS[report.state]} {report.state}: {report.reason}", style=STYLES[report.state])
    yield line
    if report.windows:
        span = f"{report.windows} windows, {report.rows:,} rows, {when(report.since)} to {when(report.until)}"
        yield Text(f"  report {report.id} of run {report.run}, over {span}", style="dim")
    told = {finding.subject for finding in report.findings}
    for column in report.columns:
        if column.state == "drifted" and column.name not in told:
            yield Text(f"  ! {column.name}: {column.reason}", style="red")
    yield from findings(report.findings)
    for sentence in report.life:
        yield Text(f"  {sentence}", style="dim")
    for note in report.notes:
        yield Text(f"  note: {note}", style="yellow")
    if report.retrain is not None:
        did = f"run {report.retrain.run} trains again" if report.retrain.run else "nothing is trained"
        yield Text(f"  {did}: {report.retrain.reason}", style="cyan" if report.retrain.run else "dim")


def findings(found: Sequence[WatchFinding]) -> Iterator[Text]:
    """Each with its numbers and what to do."""
    for one in found:
        yield Text(f"  {one.severity}: {one.title}: {one.reason}", style=_SEVERITIES[one.severity])
        if one.suggestion:
            yield Text(f"    → {one.suggestion}")


def _quality(window: WatchWindowView) -> str:
    """The first metric, by labels; estimated without, as ~."""
    for told, sign in ((window.performance, ""), (window.estimate, "~")):
        if told is not None and told.metrics:
            return f"{sign}{told.metrics[0].metric} {told.metrics[0].value:.4g}"
    return "-"


def _version(number: int) -> str:
    return f"v{number}" if number else "-"


def _reached(window: WatchWindowView) -> Text:
    over = [f"{one.name} ({', '.join(_over(one))})" for one in window.columns if one.reached]
    if over:
        return Text(", ".join(over), style="red")
    return Text("none" if window.columns and window.columns[0].limits else "no reference yet", style="dim")


def _over(column: WindowColumn) -> list[str]:
    return [name for name, limit in column.limits.items() if column.measures.get(name, 0.0) >= limit]


def _measures_over_time(windows: Sequence[WatchWindowView], column: str) -> RenderableType:
    shown = [(window, one) for window in windows for one in window.columns if one.name == column]
    names = list(dict.fromkeys(name for _, one in shown for name in (*one.limits, "mean") if name in one.measures))
    heads: Heads = ["window", "version", number_column("rows"), *map(number_column, names)]
    rows: Rows = [
        [
            f"{when(window.start)} to {when(window.end)}",
            _version(window.version),
            count(window.rows),
            *(_value(one, name) for name in names),
        ]
        for window, one in shown
    ]
    return table(heads, rows, empty=f"no window has a column {column}")


def _value(column: WindowColumn, name: str) -> Text:
    if name not in column.measures:
        return Text("-", style="dim")
    over = name in column.limits and column.measures[name] >= column.limits[name]
    return Text(f"{column.measures[name]:.4g}{'*' if over else ' '}", style="red" if over else "")
