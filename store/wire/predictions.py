"""Logged predictions: what a served model was asked and answered."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from store.wire.base import Wire


class LoggedPrediction(Wire):
    """One request."""

    request: str
    """Its id: the client's, or the one that the answer's `x-request-id` said."""
    at: datetime
    """When it came."""
    version: int
    why: str
    """Why this version: `assigned` by its unit, `no unit`, or `pinned` by the request."""
    unit: str | None
    epoch: int
    """Of the routing snapshot."""
    latency_us: int
    status: int
    """As HTTP has it; from 500 on it was not answered."""
    rows: int | None
    """None where inputs and outputs were not kept."""
    inputs: dict[str, list[Any]] | None
    """Column → values as they were sent, of the first ten rows; the table has all."""
    outputs: dict[str, list[Any]] | None
    """`score` and, of classes, `label`; of the first ten rows."""
    label: Any = None
    """The truth, as it was sent: a value, or one for each row. None: not known yet, or not asked for."""
    labelled_at: datetime | None = None
    """When it arrived."""


class PredictionsView(Wire):
    model: str
    total: int
    """Requests in the table."""
    dropped: int
    """Lines that found no room, so far as they are known of."""
    damaged: int
    """Lines that could not be read."""
    items: list[LoggedPrediction]
    """Newest first."""
    current: bool
    """False: some lines are still on their way into the table."""
    problem: str | None
    """Why logs are not read."""
    table: str
    """Folder of the Delta table."""
