"""Shadows: a version that is given copies of a model's requests and never answers. At most one of a model."""

from __future__ import annotations

from sqlmodel import Session, col, select

from store import aliases, events
from store.engine import Transaction
from store.errors import Conflict
from store.tables import AliasEvent, Shadow
from store.versions import get_version
from store.words import PRODUCTION


def current(session: Session, model: str) -> Shadow | None:
    return session.get(Shadow, model)


def all_shadows(session: Session) -> list[Shadow]:
    """By model."""
    return list(session.exec(select(Shadow).order_by(col(Shadow.model))))


def cast(tx: Transaction, model: str, version: int, share: float, actor: str, reason: str) -> Shadow:
    """Begins one, or changes the one that is there. Raises NotFound, Conflict."""
    get_version(tx.session, model, version)
    live = aliases.last_move(tx.session, model, PRODUCTION)
    if live is None or live.to_version == version:
        what = "nothing of it is in production" if live is None else f"version {version} answers itself"
        raise Conflict(
            f"{model} {version} cannot be a shadow: {what}", where=model, remedy=f"`trainshed models {model}`"
        )
    row = current(tx.session, model) or Shadow(model=model, version=version, share=share, actor=actor)
    if row.since and (row.version, row.share) == (version, share):
        what = f"version {version} is given {share:.4g} of the requests of {model} already"
        again = f"there is nothing to do; if it does not run, `trainshed shadow {model} --stop`, then this once more"
        raise Conflict(what, where=model, remedy=again)
    row.version, row.share, row.actor, row.reason = version, share, actor, reason.strip()
    row.since, row.rev = tx.now, tx.rev
    tx.session.add(row)
    tx.session.flush()
    why = f": {row.reason}" if row.reason else ""
    message = f"{model} {version} is given a copy of {share:.4g} of the requests, by {actor}{why}"
    _tell(tx, row, "began", message, actor)
    return row


def lift(tx: Transaction, model: str, actor: str, reason: str) -> Shadow:
    """No copies any more. Raises Conflict."""
    row = current(tx.session, model)
    if row is None:
        what = f"no version of {model} is a shadow"
        raise Conflict(what, where=model, remedy=f"`trainshed shadow {model} VERSION` makes one")
    tx.session.delete(row)
    tx.session.flush()
    why = f": {reason.strip()}" if reason.strip() else ""
    _tell(tx, row, "ended", f"{model} {row.version} is no shadow any more, by {actor}{why}", actor)
    return row


def follow_move(tx: Transaction, move: AliasEvent) -> None:
    """A shadow that has become production answers, and needs no copies."""
    row = current(tx.session, move.model) if move.alias == PRODUCTION else None
    if row is not None and row.version == move.to_version:
        lift(tx, move.model, move.actor, f"version {move.to_version} is in production")


def _tell(tx: Transaction, row: Shadow, verb: str, message: str, actor: str) -> None:
    data = {"version": row.version, "share": row.share, "reason": row.reason}
    subject = f"{row.model} {row.version}"
    events.append(tx, actor=actor, kind=f"shadow.{verb}", subject=subject, message=message, data=data)
