"""Drift as text: a line a column, and a sentence for each that has moved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from rich.console import Group, RenderableType
from rich.text import Text

from store.wire import DriftColumn, DriftMeasure, DriftMeasureName, DriftView
from tui.draw.monitors import findings, window_table
from tui.render import Heads, Rows, heading, number_column, share, table, when, wide_column

_MEASURES: Final[dict[DriftMeasureName, str]] = {
    "psi": "PSI",
    "ks": "KS",
    "wasserstein": "W₁/σ",
    "missing": "missing",
    "new": "new words",
}
"""Those of what models are asked: no vectors."""
_STYLES: Final = {"drifted": "red", "steady": "green", "not yet": "dim"}
_SIGNS: Final = {"drifted": "!", "steady": "✓", "not yet": "…"}


def drifted(view: DriftView, *, closely: bool = False) -> RenderableType:
    """`closely`: all that is known of each column. A value with * reached its limit in the newest window."""
    head = _said(view.state, f"{view.model} v{view.version}: {view.reason}")
    if not view.columns:
        return Group(head, *_notes(view), *_over_time(view, None))
    if closely:
        only = view.columns[0].name
        return Group(head, *(_closely(one, view) for one in view.columns), *_notes(view), *_over_time(view, only))
    sentences = [_said("drifted", f"{_name(one)}: {one.reason}") for one in view.columns if one.state == "drifted"]
    return Group(head, _overview(view), *sentences, *_notes(view), *_over_time(view, None))


def _over_time(view: DriftView, column: str | None) -> list[RenderableType]:
    """What its monitors have closed, and what they say of it."""
    parts: list[RenderableType] = []
    if view.findings or view.life:
        parts += [Text(""), heading("its monitors")]
        parts += [*findings(view.findings), *(Text(f"  {said}", style="dim") for said in view.life)]
    if view.over_time:
        parts += [Text(""), heading("over time"), window_table(view.over_time, column)]
    return parts


def _overview(view: DriftView) -> RenderableType:
    heads: Heads = ["column", "", *map(number_column, _MEASURES.values())]
    rows: Rows = [
        [_name(one), Text(one.state, style=_STYLES[one.state]), *(_cell(one, name) for name in _MEASURES)]
        for one in view.columns
    ]
    return table(heads, rows, empty="")


def _cell(column: DriftColumn, name: DriftMeasureName) -> Text:
    found = next((one for one in column.measures if one.measure == name), None)
    if found is None:
        return Text("-", style="dim")
    over = found.value >= found.limit
    return Text(f"{found.value:.3f}{'*' if over else ' '}", style="red" if over else "")


def _closely(column: DriftColumn, view: DriftView) -> RenderableType:
    heads: Heads = ["measure", *map(number_column, ("newest", "limit", "windows")), wide_column("why")]
    rows: Rows = [_line(one, view) for one in column.measures]
    return Group(
        _said(column.state, f"{_name(column)}: {column.reason}"), table(heads, rows, empty=""), _shares(column)
    )


def _line(one: DriftMeasure, view: DriftView) -> list[str]:
    reached = f"{one.reached} of {view.windows}"
    return [_MEASURES[one.measure], f"{one.value:.4f}", f"{one.limit:.4f}", reached, one.reason]


def _shares(column: DriftColumn) -> Text:
    said = [
        _pair("mean", column.reference_mean, column.mean, "{:.6g}".format),
        _pair("no value", column.reference_missing, column.missing, share),
        _pair("new words", column.reference_new, column.new, share),
    ]
    notes = {"Jensen-Shannon": column.jensen_shannon, "Hellinger": column.hellinger, "χ² p": column.chi_square_p}
    known = [f"{name} {value:.3g}" for name, value in notes.items() if value is not None]
    return Text("; ".join([*filter(None, said), *known]), style="dim")


def _pair(what: str, before: float | None, now: float | None, written: Callable[[float], str]) -> str:
    return "" if before is None or now is None else f"{what} {written(before)} → {written(now)}"


def _name(column: DriftColumn) -> str:
    return f"{column.name} (prediction)" if column.subject == "prediction" else column.name


def _said(state: str, words: str) -> Text:
    return Text(f"{_SIGNS[state]} {words}", style=_STYLES[state])


def _notes(view: DriftView) -> list[Text]:
    notes = []
    if view.windows:
        asked = f"the newest {view.rows:,} rows, {when(view.since)} to {when(view.until)}"
        notes.append(Text(f"{asked}, in {view.windows} windows of {view.window_rows:,}", style="dim"))
    if view.problem:
        notes.append(Text(f"! {view.problem}", style="yellow"))
    elif not view.current:
        notes.append(Text("… newer ones are still being read into the lake", style="cyan"))
    return notes
