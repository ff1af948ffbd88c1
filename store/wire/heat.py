"""Heat: how near each column of a monitor came to its limits, window by window; and what a column looked like."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from store.wire.base import Wire
from store.wire.drift import DriftWord
from store.wire.watchwindows import WindowMetric


class HeatWindow(Wire):
    """A closed window."""

    start: datetime
    end: datetime
    version: int
    """That answered; 0 of a dataset."""
    rows: int
    labelled: int


class HeatColumn(Wire):
    """A column over the windows."""

    name: str
    subject: Literal["feature", "prediction"]
    state: DriftWord | None
    """Of the last report; None if it says nothing of the column."""
    reason: str
    """The sentence that decided."""
    measure: str | None
    """The one that is nearest to its limit, or furthest beyond: of the last report, else of the newest window."""
    value: float | None
    limit: float | None
    levels: list[float | None]
    """A number a window: the largest of its measures as parts of their limits; 1 is at one, None: not measured."""


class HeatView(Wire):
    """The newest windows of a monitor, as parts of the limits."""

    monitor: str
    windows: list[HeatWindow]
    """Oldest first."""
    columns: list[HeatColumn]
    """Drifted ones first, then those that are nearest to their limits in the newest window."""
    measured: WindowMetric | None
    """The metric that decides, in the newest window that has labels enough to tell it."""
    coverage: float | None
    """Share of that window's rows with a label."""
    estimated: WindowMetric | None
    """What it probably is in the newest window, without labels."""
    report: int | None
    """The last one."""
    state: DriftWord | None
    """Of that report."""
    reason: str
    at: datetime | None
    run: int | None


class ShapePart(Wire):
    """A stretch of the numbers, or a word."""

    label: str
    """The word, or the value where the reference has few; empty for a stretch."""
    low: float | None
    high: float | None
    reference: float
    """Share of the reference's rows."""
    current: float
    """Share of the window's rows."""


class ShapeView(Wire):
    """A column of a window beside what it is held against."""

    monitor: str
    column: str
    kind: Literal["numeric", "categorical"]
    version: int
    start: datetime
    end: datetime
    rows: int
    reference_rows: int
    parts: list[ShapePart]
    """Stretches of equal length, the outermost with all that lies beyond; or the commonest words."""
    missing: float
    """Share of the window's rows without a value."""
    reference_missing: float
    others: float
    """Share of words that the reference hardly knew, or numbers that are none."""
    reference_others: float
