"""Alerts, and the messages that tell of them."""

from __future__ import annotations

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from store.tables.base import Json, big, json_column


class Alert(SQLModel, table=True):
    """A finding that wants a person, from the first time it was found until it is over."""

    __table_args__ = (
        # One of a kind about a subject at a time, whoever looks, and however often.
        Index("alert_once", "source", "kind", "subject", unique=True, sqlite_where=text("state <> 'resolved'")),
        Index("alert_of_source", "source", "resolved_at"),
        Index("alert_state", "state", "id"),
        Index("alert_of_model", "model", "id"),
    )
    id: int | None = Field(default=None, primary_key=True)
    source: str
    """Who looks: `monitor:late`, `daemon`, `channel:ops`."""
    kind: str
    subject: str
    model: str = ""
    severity: str
    """The worst so far."""
    state: str = "open"
    title: str
    reason: str
    evidence: Json = json_column()
    suggestion: str = ""
    report: int | None = None
    """The report that found it the last time."""
    seen: int = 1
    """Times that it was found."""
    reopened: int = 0
    """Times that it came back before it had settled."""
    opened_at: int = big()
    seen_at: int = big()
    told_at: int = big()
    """When channels were last to be told that it is there."""
    acknowledged_at: int | None = big(default=None)
    acknowledged_by: str | None = None
    note: str = ""
    """What was said when it was acknowledged."""
    resolved_at: int | None = big(default=None)
    resolved_by: str | None = None
    why: str = ""
    """Why it was resolved."""
    rev: int = Field(default=0, index=True)


class Delivery(SQLModel, table=True):
    """One message to one channel, as it is sent: once made it stays the same, however often it is tried."""

    __table_args__ = (Index("delivery_waiting", "due_at", sqlite_where=text("sent_at IS NULL AND gave_up_at IS NULL")),)
    id: int | None = Field(default=None, primary_key=True)
    channel: str
    key: str = Field(unique=True)
    """What a receiver knows a repetition by."""
    body: Json = json_column()
    """The message, without anything of the channel."""
    made_at: int = big()
    due_at: int = big()
    tries: int = 0
    sent_at: int | None = big(default=None)
    gave_up_at: int | None = big(default=None)
    fault: str = ""
    """Of the last try."""
    rev: int = Field(default=0, index=True, sa_column_kwargs={"server_default": "0"})


class Notification(SQLModel, table=True):
    """What a channel is to be told of an alert; `delivery` is the message that tells it, once there is one."""

    __table_args__ = (
        Index("notification_waiting", "due_at", sqlite_where=text("delivery IS NULL")),
        Index("notification_of_alert", "alert"),
        Index("notification_of_delivery", "delivery"),
    )
    id: int | None = Field(default=None, primary_key=True)
    alert: int = Field(foreign_key="alert.id")
    channel: str
    what: str
    due_at: int = big()
    delivery: int | None = Field(default=None, foreign_key="delivery.id")
