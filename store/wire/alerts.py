"""Alerts: findings that want a person, who has seen them, and the channels that tell of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from store.wire.base import Wire
from store.words import AlertKind, AlertSeverity, AlertState


class AlertView(Wire):
    id: int
    source: str
    """Who found it: `monitor:late`, `daemon`, `channel:ops`."""
    kind: AlertKind
    subject: str
    """What it is about: a column, a metric, a job."""
    model: str
    """Empty: it is about none."""
    severity: AlertSeverity
    """The worst so far."""
    state: AlertState
    title: str
    reason: str
    """With the numbers, as they were the last time it was found."""
    evidence: dict[str, Any]
    suggestion: str
    """What to do."""
    report: int | None
    """The report that found it the last time."""
    seen: int
    """Times that it was found."""
    reopened: int
    """Times that it came back soon after its end."""
    opened_at: datetime
    seen_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    note: str
    """What was said when it was acknowledged."""
    resolved_at: datetime | None
    resolved_by: str | None
    why: str
    """Why it was resolved."""
    rev: int


class AckRequest(Wire):
    note: str = Field(default="", max_length=2000, description="What is known of it, or done about it.")


class ResolveRequest(Wire):
    why: str = Field(default="", max_length=2000, description="Why it is over.")


class ToldView(Wire):
    """What a channel was, or is to be, told of an alert."""

    channel: str
    what: Literal["opened", "again", "escalated", "resolved"]
    due_at: datetime
    tries: int
    """Of the message that tells it."""
    sent_at: datetime | None
    gave_up_at: datetime | None
    fault: str
    """Of the last try."""


class AlertDetail(Wire):
    alert: AlertView
    told: list[ToldView]
    """Oldest first."""


class ChannelView(Wire):
    """A channel of the project file, and how it does."""

    name: str
    kind: Literal["webhook", "slack", "email", "command"]
    severities: list[AlertSeverity]
    waiting: int
    """Messages that are not sent yet."""
    sent_at: datetime | None
    """When the last one was."""
    tries: int
    """Failed ones in a row of the message that waits longest."""
    next_at: datetime | None
    fault: str
    """Why the last try failed; empty if it did not."""


class ChannelTest(Wire):
    """What came of a test message."""

    channel: str
    kind: Literal["webhook", "slack", "email", "command"]
    sent: bool
    answer: str
    """What was answered, or why nothing could be sent."""
    seconds: float
