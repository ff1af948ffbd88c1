"""Monitors: what is watched, window by window, and what each look has found."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from store.wire.base import Wire
from store.wire.drift import DriftColumn, DriftWord
from store.wire.watched import WatchFinding, WatchSeverity

ReferenceWord = Literal["training", "trailing", "last cycle"]
"""What windows are held against: the rows that trained the version, the windows before, or the same one a cycle ago."""


class RetrainView(Wire):
    """What the monitor's rule made of a report."""

    do: Literal["nothing", "retrain"]
    reason: str
    run: int | None = None
    """The training that it queued."""


class MonitorView(Wire):
    """A monitor, and where it stands."""

    name: str
    job: str
    model: str | None
    dataset: str | None
    """One of both."""
    implied: bool
    """The project file has no section for it: the model is served, so it is watched."""
    description: str
    owner: str
    window: str
    """`1d`, or `2000 rows`."""
    reference: ReferenceWord
    severity: WatchSeverity
    least_rows: int
    windows: int
    needed: int
    """In so many of the last so many windows the same measure has to reach its limit."""
    retrains: str
    """When a report may have the model trained again, in words; empty: never."""
    schedule: str | None
    """Its name."""
    every: str
    paused: bool
    next_at: datetime | None
    version: int | None
    """That the last report is about."""
    state: DriftWord | None
    """Of the last report; None without one."""
    reason: str
    at: datetime | None
    report: int | None
    run: int | None
    """The last report's."""
    stored: int
    """Windows in the record."""
    kept: str = ""
    """How long they stay there; empty: for ever."""
    findings: list[WatchFinding]
    """Of the last report."""
    rev: int


class DriftReportView(Wire):
    """The verdict of one run of a monitor."""

    id: int
    monitor: str
    model: str | None
    version: int
    run: int
    at: datetime
    since: datetime | None
    until: datetime | None
    state: DriftWord
    reason: str
    rows: int
    windows: int
    """That were looked at together."""
    columns: list[DriftColumn]
    """Drifted ones first."""
    notes: list[str]
    """What else is to be known of it, such as a column that is gone from the log."""
    life: list[str]
    """How the version ages, in sentences."""
    findings: list[WatchFinding]
    retrain: RetrainView | None
    rev: int


class BacktestAlarm(Wire):
    """Looks in a row that would have said `drifted`."""

    at: datetime
    """End of the newest window that the first of them would have seen."""
    until: datetime
    """That the last of them would have."""
    windows: int
    """After so many it would have said so."""
    version: int
    columns: list[str]
    """In any of them."""
    reason: str
    """Of the first."""


class BacktestView(Wire):
    """How often a monitor would have alarmed, from the windows that are stored."""

    monitor: str
    windows: int
    judged: int
    """Windows after which there was enough to say something."""
    alarmed: int
    """Windows after which it would have said `drifted`."""
    since: datetime | None
    until: datetime | None
    alarms: list[BacktestAlarm]
    """Oldest first."""
    notes: list[str] = []
    """What was left out, and why."""
    settings: dict[str, Any]
    """With which it was replayed."""
    sentence: str
