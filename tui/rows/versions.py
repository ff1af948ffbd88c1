"""Versions of a model as rows, and one in short."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.rows.gates import short_gates, verdict
from tui.rows.measures import chance, difference, interval, judged
from tui.rows.words import clock, figure, stamp
from tui.table.column import Cell, Column, Frame
from tui.text import Line, heading, line, pairs

if TYPE_CHECKING:
    from store.wire import VersionView

FAULTS = "gates~✘"


def columns() -> list[Column[VersionView]]:
    return [
        Column(key="version", title="v", width=4, draw=lambda v, _: Cell(f"v{v.version}", "strong"), value=_number),
        Column(key="aliases", title="alias", width=9, draw=lambda v, _: aliases(v)),
        Column(key="metric", title="objective, 95 %", width=23, draw=lambda v, _: objective(v), value=_metric),
        Column(key="against", title="against what was live", width=28, draw=lambda v, _: against(v), value=_gain),
        Column(key="gates", title="gates", width=14, grows=True, draw=lambda v, _: verdict(v)),
        Column(key="made", title="made", width=12, draw=lambda v, f: Cell(clock(v.created_at, f), "dim"), value=_made),
        Column(key="baseline", title="baseline", width=8, right=True, draw=lambda v, _: baseline(v), value=_baseline),
        Column(key="run", title="run", width=6, right=True, draw=lambda v, _: Cell(str(v.run), "dim"), value=_run),
        Column(key="digest", title="bundle", width=12, extra=True, draw=lambda v, _: Cell(v.digest[:12], "dim")),
    ]


def short_columns() -> list[Column[VersionView]]:
    """For the list beside the models."""
    wanted = {"version", "aliases", "metric", "gates"}
    return [column for column in columns() if column.key in wanted]


def aliases(version: VersionView) -> Cell:
    """Production first, with the mark of what is live."""
    from store.wire import PRODUCTION

    if PRODUCTION in version.aliases:
        return Cell(", ".join(["● live", *(name for name in version.aliases if name != PRODUCTION)]), "good")
    return Cell(", ".join(version.aliases), "live")


def objective(version: VersionView) -> Cell:
    return Cell(interval(version.metrics.get(version.objective)))


def against(version: VersionView) -> Cell:
    """The difference to the version that was in production when this one was judged."""
    found = version.judged_against
    if found is None:
        return Cell("-", "dim")
    tone = judged(version.objective, found.difference)
    return Cell(f"{tone.text[:1]} {difference(found.difference)}", tone.tone)


def baseline(version: VersionView) -> Cell:
    return Cell(figure(version.baseline.get(version.objective)), "dim")


def facts(version: VersionView, frame: Frame) -> list[Line]:
    """One version in short, for the pane beside the list."""
    lines = [
        line((f"{version.model} v{version.version}", "strong"), "  ", verdict(version), "  ", aliases(version)),
        line(),
        *pairs(
            [
                ("made", f"{stamp(version.created_at, frame)} by run {version.run}"),
                *((name, metric(version, name)) for name in dict.fromkeys([version.objective, *version.metrics])),
            ]
        ),
    ]
    if version.judged_against is not None:
        found = version.judged_against
        lines += [
            line(),
            line((f"{version.objective} against v{found.version}, live when it was judged", "dim")),
            line(
                "  ",
                judged(version.objective, found.difference),
                f"  {difference(found.difference)}  ",
                (chance(found.p_value), "dim"),
            ),
        ]
    if version.verdict is not None:
        lines += [line(), heading("gates"), *short_gates(version.verdict.gates)]
    return lines


def metric(version: VersionView, name: str) -> str:
    """With the baseline's value."""
    found = interval(version.metrics.get(name))
    base = version.baseline.get(name)
    return found if base is None else f"{found}  baseline {figure(base)}"


def _number(version: VersionView) -> int:
    return version.version


def _run(version: VersionView) -> int:
    return version.run


def _made(version: VersionView) -> float:
    return version.created_at.timestamp()


def _baseline(version: VersionView) -> float | None:
    return version.baseline.get(version.objective)


def _metric(version: VersionView) -> float | None:
    found = version.metrics.get(version.objective)
    return None if found is None else found.value


def _gain(version: VersionView) -> float | None:
    return None if version.judged_against is None else version.judged_against.difference.value
