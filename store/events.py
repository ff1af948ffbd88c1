"""The append-only history: who did what to what, and why (design §2 *event*)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import insert
from sqlmodel import col

from store.engine import Transaction
from store.tables import Event


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
