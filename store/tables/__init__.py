"""The record's tables. Definitions only; what belongs to a noun is in the noun's own file.

Times are integers, microseconds since 1970 UTC (SQLite would drop a zone). JSON columns hold plain data. `rev` is
the record's revision at which the row last changed: `/v1/changes` is a query over it.
"""

from __future__ import annotations

from store.tables.alerts import Alert, Delivery, Notification
from store.tables.comparisons import Comparison, Shadow
from store.tables.data import CheckResult, DatasetInput, DatasetVersion
from store.tables.keys import ApiKey
from store.tables.metrics import Metric, MetricKey, MetricLatest, MetricRange, ResourceSample
from store.tables.models import AliasEvent, ModelVersion
from store.tables.results import Artifact, Checkpoint, Param, TrainingInput, TrainingSet
from store.tables.runs import Attempt, Run, RunCount, RunDependency
from store.tables.schedules import Schedule
from store.tables.serving import ServingSample
from store.tables.watching import DriftReport, WatchStream, WatchWindow
from store.tables.whole import Event, Meta

__all__ = [
    "Alert",
    "AliasEvent",
    "ApiKey",
    "Artifact",
    "Attempt",
    "CheckResult",
    "Checkpoint",
    "Comparison",
    "DatasetInput",
    "DatasetVersion",
    "Delivery",
    "DriftReport",
    "Event",
    "Meta",
    "Metric",
    "MetricKey",
    "MetricLatest",
    "MetricRange",
    "ModelVersion",
    "Notification",
    "Param",
    "ResourceSample",
    "Run",
    "RunCount",
    "RunDependency",
    "Schedule",
    "ServingSample",
    "Shadow",
    "TrainingInput",
    "TrainingSet",
    "WatchStream",
    "WatchWindow",
]
