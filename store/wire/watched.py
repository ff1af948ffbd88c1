"""What a look of a monitor says wants a person."""

from __future__ import annotations

from typing import Any, Literal

from store.wire.base import Wire

WatchSeverity = Literal["info", "warning", "critical"]


class WatchFinding(Wire):
    """One thing that a report says wants a person."""

    kind: str
    """drift, performance, service, freshness, skew, rot."""
    subject: str
    """The column, the metric, the slice."""
    severity: WatchSeverity
    title: str
    reason: str
    suggestion: str
    """What to do."""
    evidence: dict[str, Any] = {}
