"""The history as a list, newest first."""

from __future__ import annotations

from typing import Final

from sqlmodel import Session, col, select

from store.events import event_view
from store.listing.fields import Field, Listing, Sort
from store.listing.pick import count, pick
from store.tables import Event, kept
from store.wire import EventView, Window

EVENTS: Final = Listing(
    table="event",
    what="events",
    fields={
        "id": Field(kind="number", sql="event.id"),
        "actor": Field(kind="text", sql="event.actor", index="event_actor", listed=True),
        "kind": Field(kind="text", sql="event.kind", index="ix_event_kind", listed=True),
        "subject": Field(kind="text", sql="event.subject", index="ix_event_subject"),
        "message": Field(kind="text", sql="event.message"),
        "time": Field(kind="time", sql="event.created_at", index="ix_event_created_at"),
    },
    words=("actor", "kind", "subject", "message"),
    trigrams=kept.EVENT_WORDS,
    by_number=Sort(sql="event.rev", index="ix_event_rev"),  # both grow with each event
)


def window(session: Session, q: str, offset: int, limit: int, now: int) -> Window[EventView]:
    """Events number `offset` to `offset + limit - 1`, newest first, of those that `q` leaves over. Raises Refused."""
    found = pick(session, EVENTS, q, "-id", offset, limit, now)
    rows = {row.id: row for row in session.exec(select(Event).where(col(Event.id).in_(found.ids)))}
    items = [event_view(rows[event]) for event in found.ids if event in rows]
    return Window(items=items, offset=offset, total=found.total)


def count_events(session: Session, q: str, now: int) -> int:
    """How many events `q` leaves over. Raises Refused."""
    return count(session, EVENTS, q, "-id", now)
