"""The HTTP schema: what the daemon says and what it can be asked. The only module of ours that `tui` knows.

Frozen, strict, versioned by the path prefix `/v1`. Times are UTC. A list is a `Page`: `next` is the opaque
keyset token of the following page, or None. `rev` is the record's revision at which a thing last changed.
"""

from __future__ import annotations

from store.wire.base import CountView, Done, Fault, Page, Problem, Window, Wire
from store.wire.data import CheckView, ColumnView, DatasetDetail, DatasetVersionView, DatasetView, FeatureViewView
from store.wire.events import EventView
from store.wire.models import (
    AliasEventView,
    AliasView,
    DifferenceView,
    GateView,
    Interval,
    ModelView,
    PlanView,
    PromoteRequest,
    RollbackRequest,
    VerdictView,
    VersionDetail,
    VersionView,
)
from store.wire.runs import (
    ArtifactView,
    AttemptView,
    CheckpointView,
    CompareView,
    JobView,
    LatestMetric,
    LogChunk,
    LogHit,
    MetricPoint,
    MetricSeries,
    ResourcePoint,
    RunDetail,
    RunRequest,
    RunView,
    SparkView,
)
from store.wire.schedules import PauseRequest, SchedulePreview, ScheduleView
from store.wire.shed import BoxView, ChangesView, GpuView, NeedView, ShutdownRequest, StatusView
from store.words import ACTIVE, ENDED, GOOD, PRODUCTION, Outcome, RunState

__all__ = [
    "ACTIVE",
    "ENDED",
    "GOOD",
    "PRODUCTION",
    "AliasEventView",
    "AliasView",
    "ArtifactView",
    "AttemptView",
    "BoxView",
    "ChangesView",
    "CheckView",
    "CheckpointView",
    "ColumnView",
    "CompareView",
    "CountView",
    "DatasetDetail",
    "DatasetVersionView",
    "DatasetView",
    "DifferenceView",
    "Done",
    "EventView",
    "Fault",
    "FeatureViewView",
    "GateView",
    "GpuView",
    "Interval",
    "JobView",
    "LatestMetric",
    "LogChunk",
    "LogHit",
    "MetricPoint",
    "MetricSeries",
    "ModelView",
    "NeedView",
    "Outcome",
    "Page",
    "PauseRequest",
    "PlanView",
    "Problem",
    "PromoteRequest",
    "ResourcePoint",
    "RollbackRequest",
    "RunDetail",
    "RunRequest",
    "RunState",
    "RunView",
    "SchedulePreview",
    "ScheduleView",
    "ShutdownRequest",
    "SparkView",
    "StatusView",
    "VerdictView",
    "VersionDetail",
    "VersionView",
    "Window",
    "Wire",
]
