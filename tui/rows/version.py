"""One version: what is read first, and its panes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tui.rows import evidence as drawn
from tui.rows.gates import gates, verdict
from tui.rows.versions import aliases
from tui.rows.words import stamp
from tui.table.column import Frame
from tui.text import Line, heading, line, pairs

if TYPE_CHECKING:
    from store.wire import VersionDetail
    from tui.charts.plot import Style


def head(detail: VersionDetail, frame: Frame) -> list[Line]:
    """Name, verdict, aliases, and where it comes from in a word."""
    version = detail.version
    name = f"{version.model} v{version.version}"
    return [
        line((name, "strong"), "  ", verdict(version), "  ", aliases(version)),
        line((f"made {stamp(version.created_at, frame)} by run {version.run}", "dim")),
    ]


def summary(detail: VersionDetail, frame: Frame) -> list[Line]:
    """What one decides by, on one page."""
    evidence = detail.evidence
    parts = drawn.parts(evidence)
    return [
        *head(detail, frame),
        line(),
        heading("metrics"),
        *drawn.metrics(evidence),
        line(),
        heading("differences"),
        *drawn.compared(evidence),
        line(),
        heading("learning curve"),
        *drawn.learning(evidence),
        *([line(), heading("parts"), *parts] if parts else []),
    ]


def verdict_lines(detail: VersionDetail, frame: Frame) -> list[Line]:
    """Every gate with its number, its limit and its reason."""
    version = detail.version
    if version.verdict is None:
        command = f"trainshed run evaluate:{version.model} --set version={version.version}"
        return [line(("? it was never judged", "warn")), line(f"→ {command}")]
    judged = [("judged", stamp(version.verdict.at, frame))]
    leaks = drawn.leakage(detail.evidence)
    return [*pairs(judged), line(), *gates(version.verdict.gates), *([line(), *leaks] if leaks else [])]


def curves(detail: VersionDetail) -> list[Line]:
    """The learning curve, evaluation by evaluation."""
    return [*drawn.learning(detail.evidence), line(), *drawn.curve_table(detail.evidence), line()]


def curve_chart(detail: VersionDetail, width: int, height: int, style: Style) -> list[Line]:
    """Train and validation loss over the steps of the evaluations, the kept step as the crosshair."""
    from tui.charts.plot import Look, plot
    from tui.charts.series import Series

    facts = detail.evidence.get("curve")
    if not facts:
        return []
    curve = facts["curve"]
    drawn_series = [
        Series.of(name, curve["steps"], [math.nan if loss is None else loss for loss in curve[key]])
        for name, key in (("validation loss", "validation_loss"), ("train loss", "train_loss"))
    ]
    return plot(drawn_series, width, height, Look(style=style, cross=float(curve["best_step"]))).lines


def calibration_chart(detail: VersionDetail, width: int, height: int, style: Style) -> list[Line]:
    """What happened over what was said, in percent, beside the line on which both are the same."""
    from tui.charts.plot import Look, plot
    from tui.charts.series import Series

    facts = detail.evidence.get("calibration")
    if not facts:
        return []
    said = [one["forecast"] * 100 for one in facts["table"]]
    happened = [one["observed"] * 100 for one in facts["table"]]
    return plot(
        [Series.of("happened %", said, happened), Series.of("said %", said, said)], width, height, Look(style=style)
    ).lines
