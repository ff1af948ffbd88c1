"""Versions against each other as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.text import Text

from store.wire import StandingMetric, StandingView, StandingWord, VersionsCompareView
from tui.render import Heads, Rows, figure, heading, interval, table, wide_column

_WORDS: Final[Mapping[StandingWord, tuple[str, str]]] = {
    "better": ("▲ better", "green"),
    "worse": ("▼ worse", "red"),
    "same": ("= may be chance", ""),
    "unknown": ("? not compared row by row", "yellow"),
}


def standing_table(views: Sequence[StandingView]) -> RenderableType:
    """Each version's objective against production's."""
    rows: Rows = [[f"v{view.version}", *_objective(view), view.note] for view in views]
    objective = views[0].objective if views else "objective"
    against = next((f"than v{view.against}" for view in views if view.against is not None), "nothing is in production")
    heads: Heads = ["version", objective, against, "gain", wide_column("")]
    return table(heads, rows, empty="no versions yet: `trainshed run train:MODEL` makes one")


def comparison(view: VersionsCompareView) -> RenderableType:
    left, right, standing = f"v{view.left.version}", f"v{view.right.version}", view.standing
    rows: Rows = [[m.metric, interval(m.value), figure(m.against), word(m), gain(m)] for m in standing.metrics]
    parts: list[RenderableType] = [
        heading(f"{view.left.model}: {left} against {right}"),
        table(["metric", left, right, "", "gain"], rows, empty="no metrics"),
    ]
    parts += [Text(standing.note, style="dim")] if standing.note else []
    for title, differing in (("settings", view.settings), ("data", view.inputs)):
        if differing:
            lines: Rows = [[name, _short(pair[0]), _short(pair[1])] for name, pair in differing.items()]
            parts += [Text(""), heading(title), table(["name", left, right], lines, empty="")]
    if view.signature_changes:
        parts += [Text(""), heading("inputs and outputs"), *(Text(f"  {line}") for line in view.signature_changes)]
    return Group(*parts)


def word(metric: StandingMetric) -> Text:
    said, colour = _WORDS[metric.word]
    return Text(said, style=colour)


def gain(metric: StandingMetric) -> str:
    """Turned so that more is better; with the interval where the same rows were answered by both."""
    if metric.gain is None:
        return "-"
    if metric.difference is None:
        return f"{metric.gain:+.4f}"
    # Turned as a whole where less of the metric is better: then the ends change places.
    d = metric.difference.difference
    low, high = (d.low, d.high) if metric.gain == d.value else (-d.high, -d.low)
    return f"{metric.gain:+.4f} [{low:+.4f}, {high:+.4f}]"


def _objective(view: StandingView) -> list[str | Text]:
    for metric in view.metrics:
        if metric.metric == view.objective:
            return [interval(metric.value), word(metric) if view.against is not None else Text("-"), gain(metric)]
    return ["-", "-", "-"]


def _short(value: Any) -> str:
    words = "-" if value is None else str(value)
    return words if len(words) <= 60 else words[:59] + "…"
