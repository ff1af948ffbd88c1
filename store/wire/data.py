"""Datasets, their versions and checks, feature views."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from store.wire.base import Wire
from store.words import Outcome, RunState, Severity


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


class FreshnessView(Wire):
    """How new a table has to be, and is."""

    basis: Literal["check", "schedule"]
    """check: its newest row counts; schedule: when its job last ended well."""
    allowed_seconds: float
    age_seconds: float | None
    """None: there is nothing yet."""
    stale: bool
    reason: str


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
    freshness: FreshnessView | None = None
    """None: neither a check nor a schedule wants it new. Not in the feed of changes: it moves with the clock."""


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


class QuarantinedRow(Wire):
    """A row that was kept apart."""

    checks: list[str]
    """Those that threw it out."""
    run: int
    at: datetime
    values: dict[str, Any]


class QuarantineView(Wire):
    dataset: str
    total: int
    """All rows that match, shown or not."""
    rows: list[QuarantinedRow]
    """Newest first."""


class FetchView(Wire):
    """The last run that read a source for a dataset."""

    run: int
    state: RunState
    at: datetime
    took_seconds: float | None
    rows: int | None
    """Added to the dataset; None while it goes on, and when it did not succeed."""
    reason: str


class SourceReadView(Wire):
    """A dataset that holds the source's rows."""

    dataset: str
    mode: str
    version: int | None
    cursor: str | None
    """Where the next incremental read begins."""
    last: FetchView | None


class SourceView(Wire):
    name: str
    kind: str
    address: str
    """Without user, password, query and headers; a reference (`env:NAME`) as it stands in the project file."""
    incremental: str | None
    """Column by which only what is new is fetched."""
    datasets: list[SourceReadView]
