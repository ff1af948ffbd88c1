"""Datasets, their versions and checks, feature views."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from store.wire.base import Wire
from store.words import Outcome, Severity


class HistogramView(Wire):
    """Rows in cells of equal width. Times are seconds since 1970 UTC."""

    low: float
    """Lower end of the first cell."""
    high: float
    """Upper end of the last one."""
    counts: list[int]


class CategoryView(Wire):
    value: str
    count: int


class ColumnView(Wire):
    name: str
    type: str
    nulls: int | None = None
    distinct: int | None = None
    low: str | None = None
    high: str | None = None
    histogram: HistogramView | None = None
    """Of numbers and times; versions made before there were histograms have none."""
    top: list[CategoryView] = []
    """The ten commonest values of a text with few different ones, or of a bool."""


class DatasetView(Wire):
    name: str
    kind: str
    """`dataset` or `feature view`."""
    made_from: list[str]
    version: int | None
    rows: int | None
    bytes: int | None
    updated_at: datetime | None
    newest: datetime | None
    """Newest value of the time column."""
    checks: dict[Outcome, int]
    rev: int


class DatasetVersionView(Wire):
    dataset: str
    version: int
    run: int
    rows: int
    added: int
    removed: int
    quarantined: int
    bytes: int
    at: datetime
    newest: datetime | None
    inputs: dict[str, int]
    """Versions of the datasets it was made from."""
    columns: list[ColumnView]
    schema_changes: list[str]
    note: str


class CheckView(Wire):
    dataset: str
    version: int | None
    run: int
    check: str
    kind: str
    severity: Severity
    outcome: Outcome
    failing: int
    total: int
    share: float
    allowed: float
    detail: str
    sample: list[dict[str, Any]]
    at: datetime


class DatasetDetail(Wire):
    dataset: DatasetView
    latest: DatasetVersionView | None
    sample: list[dict[str, Any]]
    checks: list[CheckView]


class FeatureViewView(Wire):
    name: str
    entity: list[str]
    time: str
    ttl_seconds: float | None
    columns: list[str]
    data: DatasetView
