"""What a worker found out, on its way into the record: the payloads of the spool's larger events."""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict

from store.words import Outcome, Severity

REMEMBERED: Final = 400
"""Windows of a monitor whose labels, or rows, may still come."""


class Facts(BaseModel):
    model_config = ConfigDict(frozen=True)


class HistogramFacts(Facts):
    """Rows in cells of equal width. Times are seconds since 1970 UTC."""

    low: float
    """Lower end of the first cell."""
    high: float
    """Upper end of the last one."""
    counts: list[int]


class CategoryFacts(Facts):
    value: str
    count: int


class ColumnFacts(Facts):
    name: str
    type: str
    nulls: int | None = None
    distinct: int | None = None
    low: str | None = None
    high: str | None = None
    histogram: HistogramFacts | None = None
    """Of numbers and times."""
    top: list[CategoryFacts] = []
    """The commonest values of texts and bools, with their rows."""


class DatasetFacts(Facts):
    """A new version of a dataset or of a feature view's rows."""

    dataset: str
    kind: Literal["dataset", "feature view"]
    version: int
    rows: int
    added: int
    removed: int = 0
    quarantined: int = 0
    bytes: int
    columns: list[ColumnFacts]
    schema_changes: list[str] = []
    inputs: dict[str, int] = {}
    fingerprint: str
    newest_us: int | None = None
    """Newest value of the time column, microseconds since 1970 UTC."""
    note: str = ""
    sample: list[dict[str, Any]] = []
    """At most 20 rows, values as plain JSON."""


class CheckFacts(Facts):
    name: str
    kind: str
    severity: Severity
    outcome: Outcome
    failing: int
    total: int
    allowed: float
    """Share of rows that may break the rule."""
    detail: str
    sample: list[dict[str, Any]] = []


class TrainingSetFacts(Facts):
    digest: str
    model: str
    path: str
    rows: int
    columns: list[ColumnFacts]
    inputs: dict[str, int]
    query: str


class VersionFacts(Facts):
    """A trained model with its evidence; the daemon gives it its number."""

    model: str
    digest: str
    path: str
    task: str
    objective: str
    metrics: dict[str, dict[str, float]]
    """name → {value, low, high, level}, on the test rows."""
    baseline: dict[str, float]
    evidence: dict[str, Any]
    signature: dict[str, Any]
    lineage: dict[str, Any]
    verdict: dict[str, Any]
    """{passed, gates: [{gate, outcome, reason, value, limit}]}"""
    training_set: str
    fingerprint: str


class WindowFacts(Facts):
    """A closed window of a monitored table, assessed."""

    version: int
    """That answered; 0 of a dataset."""
    start_us: int
    end_us: int
    rows: int
    labelled: int = 0
    measures: dict[str, dict[str, float]] = {}
    """Column → {measure: value}."""
    limits: dict[str, dict[str, float]] = {}
    """Column → {measure: size from which it counts}, of those that can alarm."""
    performance: dict[str, Any] = {}
    estimate: dict[str, Any] = {}
    service: dict[str, Any] = {}
    token: str
    """Of the rows and labels that it was made of."""


class StreamFacts(Facts):
    """The errors of a version, followed further than before."""

    version: int
    since_us: int
    """Where the state that it began with had ended: it takes the place of that one, and of no other."""
    until_us: int
    state: dict[str, Any]
    """As `pipeline.watching.errorstream.StreamState` writes it."""


class ReportFacts(Facts):
    """The verdict of one run of a monitor."""

    monitor: str
    model: str = ""
    version: int = 0
    since_us: int | None = None
    until_us: int | None = None
    state: Literal["drifted", "steady", "not yet"]
    reason: str
    rows: int
    windows: int
    body: dict[str, Any] = {}
    """`columns`, `notes`, and what else it tells."""
    findings: list[dict[str, Any]] = []
    """Each a `store.findings.Finding` as a document."""
    covered: dict[str, list[str]] = {}
    """Kind → what it could have found of it."""
    assessed: list[tuple[int, int]] = []
    """(version, start) of the windows that this run told anew."""
    stream: StreamFacts | None = None
