"""Rows of the long lists as a filter sees them in memory: what `store.listing` asks of the record, said once more."""

from __future__ import annotations

from datetime import datetime

from store.wire import EventView, RunView
from store.wire.filter import Value


def run_fields(view: RunView, now: datetime) -> dict[str, Value]:
    """What a run can be filtered by, but for its metrics. `took` of one that has not ended is up to `now`."""
    took = None if view.started_at is None else ((view.ended_at or now) - view.started_at).total_seconds()
    return {
        "id": view.id,
        "job": view.job,
        "kind": view.kind,
        "target": view.target,
        "state": view.state,
        "reason": view.reason,
        "message": view.message,
        "trigger": view.trigger,
        "actor": view.actor,
        "schedule": view.schedule,
        "group": view.group,
        "priority": view.priority,
        "pool": view.pool,
        "attempt": view.attempt,
        "created": view.created_at,
        "started": view.started_at,
        "ended": view.ended_at,
        "took": took,
    }


def event_fields(view: EventView) -> dict[str, Value]:
    """What an event can be filtered by."""
    return {
        "id": view.id,
        "actor": view.actor,
        "kind": view.kind,
        "subject": view.subject,
        "message": view.message,
        "time": view.at,
    }
