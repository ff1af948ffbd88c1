"""Whether the record takes a commit, and how the daemon before this one ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, text
from sqlmodel import Session, col, select

from store.engine import Transaction
from store.samples import BOX
from store.tables import Event, ResourceSample

_MARK: Final = text(
    "INSERT INTO meta (key, value) VALUES ('alive', :now) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
)
_ABOUT: Final = ("daemon.started", "daemon.stopped")


def mark(tx: Transaction) -> None:
    """A commit that is news to nobody."""
    tx.connection.execute(_MARK, {"now": str(tx.now)})


@dataclass(frozen=True)
class Died:
    """A daemon that said that it had started, and never that it stopped. Times in µs since 1970 UTC."""

    started_at: int
    last_at: int
    """The last sign of life that the record has of it."""


def died(session: Session) -> Died | None:
    """The last daemon, if it did not stop as it should. To be asked before this one writes anything."""
    query = select(Event).where(col(Event.kind).in_(_ABOUT)).order_by(col(Event.id).desc()).limit(1)
    last = session.exec(query).first()
    if last is None or last.kind == "daemon.stopped":
        return None
    event = session.exec(select(func.max(Event.created_at))).one()
    sample = session.exec(select(func.max(ResourceSample.at)).where(ResourceSample.run == BOX)).one()
    return Died(last.created_at, max(last.created_at, event or 0, sample or 0))
