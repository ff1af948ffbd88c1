"""Alerts in the record: opened, seen again and resolved by what looks find; acknowledged and resolved by people.

Each change is stamped with a revision and told to the history, and whoever is to be told of it has a row in the
outbox (`notification`) by the same transaction: nothing is told that is not so, and nothing is forgotten.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import delete, insert
from sqlmodel import Session, col, select

from store import events
from store.alertflow import Change, Known, transition
from store.engine import Transaction
from store.errors import Conflict, NotFound
from store.findings import Covered, Finding, Policy
from store.keyset import decode_token, page
from store.tables import Alert, Notification
from store.times import from_us
from store.wire import AlertView, Page
from store.words import AlertKind, AlertSeverity, AlertState, Told

DAEMON: Final = "daemon"
UNRESOLVED: Final[frozenset[AlertState]] = frozenset({"open", "acknowledged"})


# --------------------------------------------------------------------------------------------------------- reading


def get(session: Session, number: int) -> Alert:
    """Raises NotFound."""
    row = session.get(Alert, number)
    if row is None:
        raise NotFound(
            f"there is no alert {number}", where=f"alert {number}", remedy="`trainshed alerts list --state any`"
        )
    return row


def list_alerts(
    session: Session,
    *,
    states: Iterable[AlertState] = (),
    model: str | None = None,
    limit: int = 50,
    after: str | None = None,
) -> Page[AlertView]:
    """Newest first; no `states` are all. `after`: the token of the page before."""
    query = select(Alert)
    wanted = list(states)
    if wanted:
        query = query.where(col(Alert.state).in_(wanted))
    if model is not None:
        query = query.where(Alert.model == model)
    if after is not None:
        (number,) = decode_token(after, int)
        query = query.where(col(Alert.id) < number)
    rows = session.exec(query.order_by(col(Alert.id).desc()).limit(limit + 1)).all()
    return page(rows, limit, alert_view, lambda row: (row.id or 0,))


def unresolved(session: Session, *, limit: int, at: int | None = None, but: str = "") -> list[Alert]:
    """Newest first. `at` (µs): those that were not over then, as far as the record tells; `but`: not of this source."""
    query = select(Alert).where(Alert.source != but)
    if at is None:
        query = query.where(col(Alert.state).in_(UNRESOLVED))
    else:
        query = query.where(col(Alert.opened_at) <= at).where(
            col(Alert.resolved_at).is_(None) | (col(Alert.resolved_at) > at)
        )
    return list(session.exec(query.order_by(col(Alert.id).desc()).limit(limit)))


def keys_there(session: Session, source: str) -> set[tuple[AlertKind, str]]:
    """What the unresolved alerts of a source are about."""
    query = select(Alert.kind, Alert.subject).where(Alert.source == source, col(Alert.state).in_(UNRESOLVED))
    return {(kind, subject) for kind, subject in session.exec(query)}  # type: ignore[misc]  # a plain string


def alert_view(row: Alert) -> AlertView:
    """The row as it goes over the wire."""
    times = ("opened_at", "seen_at", "acknowledged_at", "resolved_at")
    plain = {name: getattr(row, name) for name in AlertView.model_fields if name not in times}
    return AlertView(**plain, **{name: from_us(getattr(row, name)) for name in times})


# -------------------------------------------------------------------------------------------------------- changing


def observe(
    tx: Transaction,
    source: str,
    findings: Sequence[Finding],
    at: int,
    report: int | None = None,
    *,
    covered: Covered,
    policy: Policy,
) -> list[int]:
    """What a look by `source` found, told to the record in the transaction that stores the look's report.

    `at`: µs since 1970 UTC, the moment of the look. `covered`: what it could have found; of that, what it did not find
    is over. Returns the ids of the alerts that are there now, in the order of the findings.
    """
    rows = {row.id: row for row in _recent(tx.session, source, at - policy.settle_us)}
    changes = transition([_known(row) for row in rows.values()], findings, covered, at, policy)
    there = []
    for change in changes:
        row = _applied(tx, rows[change.known.id] if change.known else None, change, source, at, report)
        if change.finding is not None:
            there.append(row.id or 0)
        _put_out(tx, row, change, policy)
    return there


def acknowledge(tx: Transaction, number: int, actor: str, note: str = "") -> AlertView:
    """Somebody knows of it: no reminders any more, unless it becomes worse. Raises NotFound, Conflict."""
    row = _still(tx.session, number)
    if row.state == "acknowledged":
        raise Conflict(
            f"alert {number} is acknowledged already, by {row.acknowledged_by}",
            where=f"alert {number}",
            remedy=f"`trainshed alerts resolve {number}` says that it is over",
        )
    row.state, row.rev = "acknowledged", tx.rev
    row.acknowledged_at, row.acknowledged_by, row.note = tx.now, actor, note.strip()
    tx.session.add(row)
    _withdraw(tx, row, ("again",))
    why = f": {row.note}" if row.note else ""
    _tell(tx, row, "acknowledged", f"{actor} knows of {_named(row)}{why}", actor, {"note": row.note})
    return alert_view(row)


def resolve(tx: Transaction, number: int, actor: str, why: str, policy: Policy) -> AlertView:
    """Somebody says that it is over; a look that finds it again opens it again. Raises NotFound, Conflict."""
    row = _still(tx.session, number)
    _end(tx, row, actor, why.strip() or f"{actor} said so", tx.now)
    _notify(tx, row, "resolved", tx.now + policy.gather_us, _told(tx.session, row) & policy.channels.keys())
    return alert_view(row)


# ---------------------------------------------------------------------------------------------------------- inside


def _still(session: Session, number: int) -> Alert:
    row = get(session, number)
    if row.state == "resolved":
        at = from_us(row.resolved_at or 0)
        raise Conflict(
            f"alert {number} was resolved at {at:%Y-%m-%d %H:%M:%S} UTC, by {row.resolved_by}",
            where=f"alert {number}",
            remedy="`trainshed alerts` shows those that are open",
        )
    return row


def _recent(session: Session, source: str, since: int) -> list[Alert]:
    """Unresolved, or resolved after `since` (µs); of one thing the newest comes last."""
    there = col(Alert.resolved_at).is_(None) | (col(Alert.resolved_at) > since)
    return list(session.exec(select(Alert).where(Alert.source == source, there).order_by(col(Alert.id))))


def _known(row: Alert) -> Known:
    return Known(
        id=row.id or 0,
        kind=row.kind,  # type: ignore[arg-type]  # the columns are plain strings
        subject=row.subject,
        severity=row.severity,  # type: ignore[arg-type]
        state=row.state,  # type: ignore[arg-type]
        acknowledged=row.acknowledged_at is not None,
        by_hand=row.resolved_by not in (None, DAEMON),
        resolved_at=row.resolved_at,
        told_at=row.told_at,
    )


def _applied(tx: Transaction, row: Alert | None, change: Change, source: str, at: int, report: int | None) -> Alert:
    finding = change.finding
    if finding is None:
        assert row is not None
        return _end(tx, row, DAEMON, "it is no longer found", at)
    if row is None:
        row = _new(tx, source, finding, at)
    else:
        row.seen += 1
        row.reopened += change.move == "reopened"
    _refresh(row, finding, change, at, report)
    row.rev = tx.rev
    tx.session.add(row)
    tx.session.flush()
    if change.move != "seen":
        verb = {"opened": "", "escalated": "has become worse: ", "reopened": "is back: "}[change.move]
        message = f"{row.severity}: {verb}{row.title}: {row.reason}"
        _tell(tx, row, change.move, message, DAEMON, {"report": report})
    return row


def _new(tx: Transaction, source: str, finding: Finding, at: int) -> Alert:
    return Alert(
        source=source,
        kind=finding.kind,
        subject=finding.subject,
        severity=finding.severity,
        title=finding.title,
        reason=finding.reason,
        opened_at=at,
        seen_at=at,
        told_at=at,
        rev=tx.rev,
    )


def _refresh(row: Alert, finding: Finding, change: Change, at: int, report: int | None) -> None:
    """What was found the last time, and where it stands now."""
    row.severity, row.model = change.severity, finding.model
    row.title, row.reason, row.suggestion = finding.title, finding.reason, finding.suggestion
    row.evidence, row.report, row.seen_at = dict(finding.evidence), report, at
    row.resolved_at, row.resolved_by, row.why = None, None, ""
    if change.state == "open":
        row.acknowledged_at, row.acknowledged_by, row.note = None, None, ""
    row.state = change.state
    if change.tell is not None:
        row.told_at = at


def _end(tx: Transaction, row: Alert, actor: str, why: str, at: int) -> Alert:
    row.state, row.resolved_at, row.resolved_by, row.why, row.rev = "resolved", at, actor, why, tx.rev
    tx.session.add(row)
    _withdraw(tx, row, ("again",))
    _tell(tx, row, "resolved", f"{_named(row)} is over: {why}", actor, {"why": why})
    return row


def _tell(tx: Transaction, row: Alert, verb: str, message: str, actor: str, more: dict[str, Any]) -> None:
    about = {name: getattr(row, name) for name in ("source", "kind", "subject", "model", "severity")}
    events.append(
        tx, actor=actor, kind=f"alert.{verb}", subject=f"alert {row.id}", message=message, data={**about, **more}
    )


def _named(row: Alert) -> str:
    return f"alert {row.id} ({row.title})"


# ------------------------------------------------------------------------------------------------------- the outbox


def _put_out(tx: Transaction, row: Alert, change: Change, policy: Policy) -> None:
    """Who is to be told hears of it; an end that was not told yet, and is none, is not told."""
    if change.move == "reopened":
        _withdraw(tx, row, ("resolved",))
    if change.tell == "resolved":
        _notify(tx, row, "resolved", change.due, _told(tx.session, row) & policy.channels.keys())
    elif change.tell is not None:
        _notify(tx, row, change.tell, change.due, routed(policy, change.severity) - {_own_channel(row)})


def routed(policy: Policy, severity: AlertSeverity) -> set[str]:
    """Channels that are told of this severity."""
    return {name for name, severities in policy.channels.items() if severity in severities}


def _own_channel(row: Alert) -> str:
    """The channel that an alert is about: it would be told in vain that it cannot be reached."""
    kind, _, name = row.source.partition(":")
    return name if kind == "channel" else ""


def _notify(tx: Transaction, row: Alert, what: Told, due: int, channels: Iterable[str]) -> None:
    rows = [{"alert": row.id, "channel": name, "what": what, "due_at": due} for name in sorted(channels)]
    if rows:
        tx.connection.execute(insert(Notification), rows)


def _told(session: Session, row: Alert) -> set[str]:
    """Channels that were told of it, or are about to be."""
    return set(session.exec(select(Notification.channel).where(Notification.alert == row.id).distinct()))


def _withdraw(tx: Transaction, row: Alert, what: Sequence[Told]) -> None:
    """What waits to be told and is no longer so."""
    waiting = col(Notification.delivery).is_(None)
    tx.session.flush()
    tx.connection.execute(
        delete(Notification).where(col(Notification.alert) == row.id, col(Notification.what).in_(what), waiting)
    )
