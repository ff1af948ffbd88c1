"""The newest windows of a monitor as parts of its limits: which column came how near, and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlmodel import Session, col, select

from store.tables import DriftReport, WatchWindow
from store.times import from_us
from store.watchviews import PREDICTION
from store.wire import DriftColumn, HeatColumn, HeatView, HeatWindow, WindowMetric

_ORDER: Final[Mapping[str | None, int]] = {"drifted": 0, "steady": 1, "not yet": 1, None: 1}


def heat(session: Session, monitor: str, *, windows: int, at_us: int | None = None, metric: str = "") -> HeatView:
    """Of the newest so many. `at_us`: of those that had ended by then. `metric`: the one that decides; else the first
    that a window tells.
    """
    rows = _windows(session, monitor, windows, at_us)
    report = _report(session, monitor, at_us)
    said = {} if report is None else {one["name"]: DriftColumn(**one) for one in report.body.get("columns", [])}
    measured = _newest(rows, "performance", metric)
    estimated = _newest(rows, "estimate", metric)
    return HeatView(
        monitor=monitor,
        windows=[_window(row) for row in rows],
        columns=columns(rows, said),
        measured=None if measured is None else measured[1],
        coverage=None if measured is None else measured[0].performance.get("coverage"),
        estimated=None if estimated is None else estimated[1],
        report=None if report is None else report.id,
        state=None if report is None else report.state,
        reason="" if report is None else report.reason,
        at=None if report is None else from_us(report.at),
        run=None if report is None else report.run,
    )


def columns(rows: Sequence[WatchWindow], said: Mapping[str, DriftColumn]) -> list[HeatColumn]:
    """`rows`: oldest first; `said`: what the last report tells of each column."""
    names = list(dict.fromkeys(name for row in reversed(rows) for name in row.measures))
    found = [_column(name, rows, said.get(name.removeprefix(PREDICTION))) for name in names]
    return sorted(found, key=lambda one: (_ORDER[one.state], -(one.levels[-1] or 0.0), one.name))


def levels(row: WatchWindow, name: str) -> dict[str, float]:
    """Measure → part of its limit, of those that can alarm."""
    found, limits = row.measures.get(name, {}), row.limits.get(name, {})
    return {measure: found[measure] / limit for measure, limit in limits.items() if measure in found and limit > 0.0}


def _column(name: str, rows: Sequence[WatchWindow], said: DriftColumn | None) -> HeatColumn:
    over = [max(levels(row, name).values(), default=None) for row in rows]
    measure, value, limit = _deciding(name, rows, said)
    return HeatColumn(
        name=name.removeprefix(PREDICTION),
        subject="prediction" if name.startswith(PREDICTION) else "feature",
        state=None if said is None else said.state,
        reason="" if said is None else said.reason,
        measure=measure,
        value=value,
        limit=limit,
        levels=over,
    )


def _deciding(
    name: str, rows: Sequence[WatchWindow], said: DriftColumn | None
) -> tuple[str | None, float | None, float | None]:
    if said is not None and said.measures:
        first = said.measures[0]
        return first.measure, first.value, first.limit
    newest = next((row for row in reversed(rows) if levels(row, name)), None)
    if newest is None:
        return None, None, None
    near = levels(newest, name)
    measure = max(near, key=lambda one: near[one])
    return measure, newest.measures[name][measure], newest.limits[name][measure]


def _windows(session: Session, monitor: str, count: int, at_us: int | None) -> list[WatchWindow]:
    query = select(WatchWindow).where(WatchWindow.monitor == monitor)
    if at_us is not None:
        query = query.where(WatchWindow.end_us <= at_us)
    newest = (col(WatchWindow.end_us).desc(), col(WatchWindow.version).desc())
    return list(session.exec(query.order_by(*newest).limit(count)))[::-1]


def _report(session: Session, monitor: str, at_us: int | None) -> DriftReport | None:
    query = select(DriftReport).where(DriftReport.monitor == monitor)
    if at_us is not None:
        query = query.where(DriftReport.at <= at_us)
    return session.exec(query.order_by(col(DriftReport.id).desc()).limit(1)).first()


def _newest(rows: Sequence[WatchWindow], where: str, metric: str) -> tuple[WatchWindow, WindowMetric] | None:
    """The window that tells it last, and what it says."""
    for row in reversed(rows):
        told: list[dict[str, Any]] = (getattr(row, where) or {}).get("metrics", [])
        found = next((one for one in told if metric in ("", one["metric"])), None)
        if found is not None:
            return row, WindowMetric(**found)
    return None


def _window(row: WatchWindow) -> HeatWindow:
    return HeatWindow(
        start=from_us(row.start_us), end=from_us(row.end_us), version=row.version, rows=row.rows, labelled=row.labelled
    )
