"""Logged predictions as text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.text import Text

from store.wire import LoggedPrediction, PredictionsView
from tui.printable import printable, shortened
from tui.render import Heads, Rows, number_column, table, when, wide_column

_ID: Final = 40
"""Letters of an id that are shown: clients choose them, and may choose long ones."""


def logged(view: PredictionsView, *, labels: bool = False) -> RenderableType:
    """A line a request, then what is missing. `labels`: with the label that stands for each."""
    heads: Heads = ["at", "request", "version", "why", "unit", number_column("ms"), number_column("status")]
    heads = [*heads, number_column("rows"), *(["label"] if labels else []), "outputs", wide_column("inputs")]
    rows: Rows = [_line(one, labels) for one in view.items]
    empty = f"nothing that {view.model} was asked is in the log yet; `trainshed endpoints` shows whether it is served"
    return Group(table(heads, rows, empty=empty), *_notes(view))


def _line(one: LoggedPrediction, labels: bool) -> list[str | Text]:
    return [
        when(one.at),
        shortened(one.request, _ID),
        f"v{one.version}",
        one.why,
        shortened(one.unit, _ID) if one.unit else "-",
        f"{one.latency_us / 1000:.2f}",
        Text(str(one.status), style="" if one.status < 500 else "red"),
        "-" if one.rows is None else str(one.rows),
        *([_truth(one.label)] if labels else []),
        printable(_first_row(one.outputs)),
        printable(_first_row(one.inputs)),
    ]


def _first_row(columns: Mapping[str, list[Any]] | None) -> str:
    """`a=1 b=x`, of a request's first row."""
    if columns is None:
        return "-"
    return " ".join(f"{name}={_cell(values[0])}" for name, values in columns.items() if values)


def _truth(label: Any) -> str:
    """As the labels of outputs are written; of a request with many rows the first ones."""
    if isinstance(label, list):
        return ", ".join(_truth(one) for one in label[:3]) + (" …" if len(label) > 3 else "")
    return "-" if label is None else label if isinstance(label, str) else json.dumps(label)


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_cell, value))}]"
    return f"{value:.6g}" if isinstance(value, float) else "-" if value is None else str(value)


def _notes(view: PredictionsView) -> list[Text]:
    notes = [Text(f"{len(view.items):,} of {view.total:,} requests, the newest first; all: {view.table}", style="dim")]
    if view.dropped or view.damaged:
        damaged = f", and {view.damaged:,} were damaged" if view.damaged else ""
        notes.append(Text(f"! {view.dropped:,} found no room in the log{damaged}", style="yellow"))
    if view.problem:
        notes.append(Text(f"! {view.problem}", style="yellow"))
    elif not view.current:
        notes.append(Text("… newer ones are still being read into the lake", style="cyan"))
    return notes
