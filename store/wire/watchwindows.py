"""Closed windows of what monitors watch."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from store.wire.base import Wire


class WindowColumn(Wire):
    """A column in a window, against the reference."""

    name: str
    subject: Literal["feature", "prediction"]
    reached: bool
    """A measure is at its limit or beyond."""
    measures: dict[str, float]
    """psi, ks, wasserstein, jensen_shannon and hellinger; missing and new as effects (Cohen's h), and as shares
    missing_share and new_share; mean: those that it has."""
    limits: dict[str, float]
    """Of those that can alarm, from where on they count."""


class WindowMetric(Wire):
    metric: str
    value: float
    low: float | None = None
    high: float | None = None
    reference: float | None = None
    """What the version's evidence says."""


class WindowSlice(Wire):
    """Rows with one value of a column."""

    column: str
    value: str
    rows: int
    labelled: int
    metrics: list[WindowMetric]


class WindowPerformance(Wire):
    """How good the answers were, as far as labels have come."""

    coverage: float | None
    """Share of the rows with a label."""
    metrics: list[WindowMetric]
    slices: list[WindowSlice] = []


class WindowEstimate(Wire):
    """How good they probably were, without labels."""

    how: str
    metrics: list[WindowMetric]


class WindowService(Wire):
    """How the requests of the window were answered."""

    requests: int
    errors: float | None
    """Share that was not answered."""
    p50_ms: float | None
    p99_ms: float | None
    per_second: float | None


class WatchWindowView(Wire):
    """A closed window."""

    monitor: str
    version: int
    """That answered; 0 of a dataset."""
    start: datetime
    end: datetime
    rows: int
    labelled: int
    columns: list[WindowColumn]
    """Those with a measure at its limit first."""
    performance: WindowPerformance | None
    estimate: WindowEstimate | None
    service: WindowService | None
    report: int | None
    restated_at: datetime | None
    """Labels, or rows, came after it was first told."""
    rev: int
