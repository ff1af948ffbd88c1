"""The append-only history: who did what to what, and why (design §2 *event*)."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from sqlalchemy import ColumnElement, func, insert
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
    if at is not None:
        query = query.where(col(Event.created_at) <= at)
    if after is not None:
        (event,) = decode_token(after, int)
        query = query.where(col(Event.id) < event)
    if kind is not None and subject is not None:
        query = query.where(_is_of(kind))
    newest = query.order_by(col(Event.id).desc()).limit(limit + 1)
    if kind is None or subject is not None:
        rows = list(session.exec(newest))
    else:  # of each kind its newest, by the index: neither a rare noun nor a common one has all events read
        kinds = [kind] if "." in kind else _kinds_of(session, kind)
        found = [row for one in kinds for row in session.exec(newest.where(Event.kind == one))]
        rows = heapq.nlargest(limit + 1, found, key=lambda row: cast(int, row.id))
    return page(rows, limit, event_view, lambda row: (cast(int, row.id),))


def _is_of(kind: str) -> ColumnElement[bool]:
    """Asked of the few events of a subject. Of an expression: SQLite would rather go through all events of the kind."""
    if "." in kind:
        return func.substr(Event.kind, 1) == kind
    return func.substr(Event.kind, 1, len(kind) + 1) == f"{kind}."


def _kinds_of(session: Session, noun: str) -> list[str]:
    """Kinds of which there are events, by a leap through the index from each to the next. Few: programs name them."""
    kinds: list[str] = []
    following: str | None = f"{noun}."
    while following is not None:
        after = select(func.min(Event.kind)).where(col(Event.kind) > following, col(Event.kind) < f"{noun}/")
        following = session.exec(after).one()
        kinds += [following] if following is not None else []
    return kinds


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
