"""Reports of monitors: as rows, and one in full with its findings and what its rule decided. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui.rows.words import DRIFT, SEVERITIES, clock, count, stamp
from tui.table.column import Cell, Column, Frame
from tui.text import Line, Lines, heading, line

if TYPE_CHECKING:
    from store.wire import DriftReportView, RetrainView, WatchFinding


def report_columns() -> list[Column[DriftReportView]]:
    return [
        Column(
            key="at", title="looked", width=12, draw=lambda r, f: Cell(clock(r.at, f)), value=lambda r: r.at.isoformat()
        ),
        Column(key="state", title="state", width=9, draw=lambda r, _: DRIFT[r.state], value=lambda r: r.state),
        Column(key="run", title="run", width=6, right=True, draw=lambda r, _: Cell(str(r.run)), value=lambda r: r.run),
        Column(key="reason", title="why", width=20, grows=True, sorts=False, draw=lambda r, _: Cell(r.reason)),
        Column(
            key="version",
            title="version",
            width=7,
            right=True,
            draw=lambda r, _: Cell(f"v{r.version}", "dim"),
            order=lambda r: r.version,
        ),
        Column(
            key="rows",
            title="rows",
            width=9,
            right=True,
            extra=True,
            draw=lambda r, _: Cell(count(r.rows)),
            order=lambda r: r.rows,
        ),
    ]


def verdict(report: DriftReportView | None, frame: Frame) -> Lines:
    """All that a report says beyond its columns."""
    if report is None:
        return [line(("no look has made a report yet: T looks now", "dim"))]
    number = line((f"report {report.id} of {stamp(report.at, frame)}, run {report.run}", "dim"))
    span = f"{count(report.rows)} rows in {report.windows} windows"
    when = f", {clock(report.since, frame)} to {clock(report.until, frame)}" if report.since is not None else ""
    lines = [number, line(DRIFT[report.state], "  ", report.reason), line((span + when, "dim"))]
    lines += [line(("! ", "warn"), note) for note in report.notes]
    lines += [line(("· ", "dim"), said) for said in report.life]
    if not report.findings:
        lines += [line(), line(("✔ nothing of it wants anybody", "good"))]
    return [*lines, *findings(report.findings), *decision(report.retrain)]


def findings(found: Sequence[WatchFinding]) -> list[Line]:
    """Each with its numbers and what to do."""
    lines: list[Line] = []
    for one in found:
        lines += [line(), line(SEVERITIES[one.severity], "  ", (one.title, "strong")), line(one.reason)]
        lines += [line(("→ ", "key"), one.suggestion)] if one.suggestion else []
    return lines


def decision(found: RetrainView | None) -> list[Line]:
    """What the monitor's rule made of the report."""
    if found is None:
        return []
    done = f", run {found.run}" if found.run is not None else ""
    what_ = Cell(f"▶ trains again{done}", "live") if found.do == "retrain" else Cell("○ nothing", "dim")
    return [line(), heading("what its rule decided"), line(what_), line(found.reason)]
