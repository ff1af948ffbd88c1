"""The outbox: what channels are to be told, made into messages, and what became of them.

A notification is one thing to tell one channel; a delivery is a message that tells it some. A message is written down
as it will be sent, with its key, before the first try. So whoever dies between sending and noting, the next try is the
same message with the same key, and a receiver that looks at keys takes it once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import delete, func, update
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from store.alerts import alert_view
from store.engine import Transaction
from store.tables import Alert, Delivery, Notification
from store.times import from_us
from store.wire import AlertView, ToldView
from store.words import Told

MOST: Final = 1_000
"""Messages that are forgotten at once."""


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A notification that is due and in no message yet."""

    id: int
    channel: str
    what: Told
    alert: AlertView


def waiting(session: Session, now: int) -> list[Waiting]:
    """Due at `now` (µs), oldest first."""
    query = (
        select(Notification, Alert)
        .join(Alert, col(Alert.id) == Notification.alert)
        .where(col(Notification.delivery).is_(None), col(Notification.due_at) <= now)
        .order_by(col(Notification.id))
    )
    return [
        Waiting(id=row.id or 0, channel=row.channel, what=row.what, alert=alert_view(alert))  # type: ignore[arg-type]
        for row, alert in session.exec(query)
    ]


def bind(tx: Transaction, notifications: Sequence[int], channel: str, key: str, body: Mapping[str, Any]) -> Delivery:
    """The message that tells these; it is due at once."""
    row = Delivery(channel=channel, key=key, body=dict(body), made_at=tx.now, due_at=tx.now, rev=tx.rev)
    tx.session.add(row)
    tx.session.flush()
    tx.connection.execute(update(Notification).where(col(Notification.id).in_(notifications)).values(delivery=row.id))
    return row


def unsent(session: Session) -> list[Delivery]:
    """Messages that are neither sent nor given up, oldest first."""
    query = select(Delivery).where(col(Delivery.sent_at).is_(None), col(Delivery.gave_up_at).is_(None))
    return list(session.exec(query.order_by(col(Delivery.id))))


def sent(tx: Transaction, number: int) -> Delivery:
    row = _row(tx, number)
    row.tries, row.sent_at, row.fault = row.tries + 1, tx.now, ""
    return row


def failed(tx: Transaction, number: int, fault: str, next_at: int) -> Delivery:
    """To be tried again at `next_at` (µs)."""
    row = _row(tx, number)
    row.tries, row.fault, row.due_at = row.tries + 1, fault, next_at
    return row


def gave_up(tx: Transaction, number: int, fault: str) -> Delivery:
    row = _row(tx, number)
    row.tries, row.fault, row.gave_up_at = row.tries + 1, fault, tx.now
    return row


def forget_others(tx: Transaction, channels: Collection[str]) -> int:
    """What waits for channels that are no longer there is not told; how much that was."""
    for row in unsent(tx.session):
        if row.channel not in channels:
            row.gave_up_at, row.fault, row.rev = tx.now, "the channel is no longer in the project file", tx.rev
            tx.session.add(row)
    gone = col(Notification.delivery).is_(None) & col(Notification.channel).not_in(channels)
    return tx.connection.execute(delete(Notification).where(gone)).rowcount


def has_others(session: Session, channels: Collection[str]) -> bool:
    """Whether anything waits for a channel that is no longer there."""
    gone = col(Notification.delivery).is_(None) & col(Notification.channel).not_in(channels)
    if session.exec(select(Notification.id).where(gone).limit(1)).first() is not None:
        return True
    return any(row.channel not in channels for row in unsent(session))


def has_old(session: Session, before: int) -> bool:
    """Whether `forget_old` would forget any."""
    return session.exec(_old(before).limit(1)).first() is not None


def forget_old(tx: Transaction, before: int) -> int:
    """Messages that were sent or given up before then (µs) and tell only of alerts that were over by then; how many, at
    most `MOST`. A channel's last message that was taken stays: it says when that was.
    """
    old = tx.session.exec(_old(before).limit(MOST)).all()
    tx.connection.execute(delete(Notification).where(col(Notification.delivery).in_(old)))
    tx.connection.execute(delete(Delivery).where(col(Delivery.id).in_(old)))
    return len(old)


def _old(before: int) -> SelectOfScalar[Any]:
    matters = (
        select(Notification.delivery)
        .join(Alert, col(Alert.id) == Notification.alert)
        .where(col(Notification.delivery).is_not(None))
        .where(col(Alert.resolved_at).is_(None) | (col(Alert.resolved_at) >= before))
    )
    last = select(func.max(Delivery.id)).where(col(Delivery.sent_at).is_not(None)).group_by(col(Delivery.channel))
    ended = func.coalesce(Delivery.sent_at, Delivery.gave_up_at)
    return select(Delivery.id).where(ended < before, col(Delivery.id).not_in(matters), col(Delivery.id).not_in(last))


def told(session: Session, alert: int) -> list[ToldView]:
    """What channels were, or are to be, told of an alert, oldest first."""
    query = (
        select(Notification, Delivery)
        .join(Delivery, col(Delivery.id) == Notification.delivery, isouter=True)
        .where(Notification.alert == alert)
        .order_by(col(Notification.id))
    )
    return [_told_view(row, message) for row, message in session.exec(query)]


def changed(session: Session, rev: int) -> list[int]:
    """Alerts of which a message was made, tried, sent or given up after a revision."""
    messages = select(Delivery.id).where(col(Delivery.rev) > rev)
    return sorted(set(session.exec(select(Notification.alert).where(col(Notification.delivery).in_(messages)))))


def _told_view(row: Notification, message: Delivery | None) -> ToldView:
    return ToldView(
        channel=row.channel,
        what=row.what,
        due_at=from_us(message.due_at if message else row.due_at),
        tries=message.tries if message else 0,
        sent_at=from_us(message.sent_at) if message else None,
        gave_up_at=from_us(message.gave_up_at) if message else None,
        fault=message.fault if message else "",
    )


@dataclass(frozen=True, kw_only=True)
class ChannelFacts:
    """How a channel does, by the record."""

    waiting: int
    """Notifications that are not told yet."""
    sent_at: int | None
    oldest: Delivery | None
    """The message that waits."""


def channel_facts(session: Session, channel: str) -> ChannelFacts:
    queued = select(func.count()).where(
        col(Notification.channel) == channel,
        col(Notification.delivery).is_(None) | col(Notification.delivery).in_(_unsent_ids(channel)),
    )
    last = select(func.max(Delivery.sent_at)).where(Delivery.channel == channel)
    return ChannelFacts(
        waiting=session.exec(queued).one(),
        sent_at=session.exec(last).one(),
        oldest=next((row for row in unsent(session) if row.channel == channel), None),
    )


def _unsent_ids(channel: str) -> Any:
    there = (col(Delivery.sent_at).is_(None), col(Delivery.gave_up_at).is_(None))
    return select(Delivery.id).where(Delivery.channel == channel, *there)


def _row(tx: Transaction, number: int) -> Delivery:
    row = tx.session.get(Delivery, number)
    assert row is not None, "a message that waits is never deleted"
    row.rev = tx.rev
    tx.session.add(row)
    return row
