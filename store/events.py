"""The append-only history: who did what to what, and why (design §2 *event*)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from sqlalchemy import insert
from sqlmodel import Session, col, select

from store.engine import Transaction
from store.keyset import decode_token, page
from store.tables import Event
from store.times import from_us
from store.wire import EventView, Page


@dataclass(frozen=True, kw_only=True)
class Line:
    """One event on its way into the history."""

    actor: str
    """A user's name, or `daemon`, or `run 12`."""
    kind: str
    """`run.failed`, `schedule.paused` …: the noun and what happened to it."""
    subject: str
    """`run 12`, `flights@3`, `late 2`, `schedule nightly`, `daemon`."""
    message: str
    """A sentence for people, complete on its own."""
    data: Mapping[str, Any] = field(default_factory=dict)
    """Plain JSON for machines."""


def append(
    tx: Transaction, *, actor: str, kind: str, subject: str, message: str, data: Mapping[str, Any] | None = None
) -> int:
    """Writes one event; its id."""
    line = Line(actor=actor, kind=kind, subject=subject, message=message, data=data or {})
    return int(tx.connection.execute(insert(Event).returning(col(Event.id)), _row(tx, line)).scalar_one() or 0)


def append_all(tx: Transaction, lines: Sequence[Line]) -> None:
    """Writes many events in one statement, in order."""
    if lines:
        tx.connection.execute(insert(Event), [_row(tx, line) for line in lines])


def _row(tx: Transaction, line: Line) -> dict[str, Any]:
    return {
        "created_at": tx.now,
        "actor": line.actor,
        "kind": line.kind,
        "subject": line.subject,
        "message": line.message,
        "data": dict(line.data),
        "rev": tx.rev,
    }


def list_events(
    session: Session,
    *,
    subject: str | None = None,
    kind: str | None = None,
    at: int | None = None,
    limit: int = 50,
    after: str | None = None,
) -> Page[EventView]:
    """Newest first. `subject`: `run 12`; `kind`: `run.failed`, or `run` for all of that noun; `at`: as it stood then
    (µs). `after`: the token of the page before."""
    query = select(Event)
    if subject is not None:
        query = query.where(Event.subject == subject)
    if kind is not None:
        query = query.where(col(Event.kind) == kind if "." in kind else col(Event.kind).startswith(f"{kind}."))
    if at is not None:
        query = query.where(col(Event.created_at) <= at)
    if after is not None:
        (event,) = decode_token(after, int)
        query = query.where(col(Event.id) < event)
    rows = session.exec(query.order_by(col(Event.id).desc()).limit(limit + 1)).all()
    return page(rows, limit, event_view, lambda row: (cast(int, row.id),))


def event_view(row: Event) -> EventView:
    """The row as it goes over the wire."""
    assert row.id is not None
    return EventView(
        id=row.id,
        at=from_us(row.created_at),
        actor=row.actor,
        kind=row.kind,
        subject=row.subject,
        message=row.message,
        data=row.data,
    )
