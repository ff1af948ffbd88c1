"""Monitors with their windows and reports, now or as they were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from tui.rows.heat import STRIP

if TYPE_CHECKING:
    from store.wire import AliasEventView, DriftReportView, HeatView, MonitorView, WatchWindowView
    from tui.client import Client

_REPORTS = 100


@dataclass(frozen=True)
class Watched:
    """One monitor with what is shown beside its windows."""

    monitor: MonitorView
    heat: HeatView
    reports: Sequence[DriftReportView]
    """Newest first."""
    moves: Sequence[AliasEventView]
    """Of its model's aliases, newest first."""


def monitors_at(daemon: Client, moment: datetime | None) -> tuple[list[MonitorView], Mapping[str, HeatView]]:
    """In the project's order, each with its newest windows. Raises Failure."""
    monitors = [then(monitor, moment) for monitor in daemon.monitors()]
    return monitors, {one.name: daemon.heat(one.name, windows=STRIP, at=moment) for one in monitors}


def monitor_at(daemon: Client, name: str, moment: datetime | None) -> Watched:
    """Raises Failure."""
    monitor = daemon.monitor(name)
    reports = [one for one in daemon.drift_reports(name, limit=_REPORTS).items if moment is None or one.at <= moment]
    moves = daemon.alias_history(monitor.model, alias="production") if monitor.model is not None else []
    heat = daemon.heat(name, windows=STRIP, at=moment)
    return Watched(then(monitor, moment), heat, reports, [one for one in moves if moment is None or one.at <= moment])


def windows_at(
    daemon: Client, name: str, column: str | None, count: int, moment: datetime | None
) -> list[WatchWindowView]:
    """The newest so many that had ended, oldest first, with this column alone. Raises Failure."""
    found: list[WatchWindowView] = []
    after: str | None = None
    while len(found) < count:
        page = daemon.watch_windows(name, column=column, limit=min(count, 500), after=after)
        found += [one for one in page.items if moment is None or one.end <= moment]
        after = page.next
        if after is None:
            break
    return found[:count][::-1]


def then(monitor: MonitorView, moment: datetime | None) -> MonitorView:
    """Without what was found later."""
    if moment is None or (monitor.at is not None and monitor.at <= moment):
        return monitor
    return monitor.model_copy(
        update={"state": None, "reason": "", "at": None, "report": None, "run": None, "findings": []}
    )
