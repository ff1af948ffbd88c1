"""Aliases: where each points, and every move it ever made. Reading only; `store/registry.py` moves them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from sqlalchemy import func
from sqlmodel import Session, col, select

from store.keyset import decode_token, page
from store.tables import AliasEvent
from store.times import from_us
from store.wire import AliasEventView, AliasView, Page


def last_move(session: Session, model: str, alias: str) -> AliasEvent | None:
    """The newest row: where the alias points now."""
    newest = (
        select(AliasEvent)
        .where(AliasEvent.model == model, AliasEvent.alias == alias)
        .order_by(col(AliasEvent.id).desc())
        .limit(1)
    )
    return session.exec(newest).first()


def moves(session: Session, model: str, alias: str) -> list[AliasEvent]:
    """All moves, newest first."""
    query = select(AliasEvent).where(AliasEvent.model == model, AliasEvent.alias == alias)
    return list(session.exec(query.order_by(col(AliasEvent.id).desc())))


def current(session: Session, alias: str | None = None, *, at: int | None = None) -> list[AliasView]:
    """Where all aliases point (or those of one name), by model and alias; with `at` (µs), where they pointed then."""
    newest = select(func.max(col(AliasEvent.id))).group_by(col(AliasEvent.model), col(AliasEvent.alias))
    if at is not None:
        newest = newest.where(col(AliasEvent.created_at) <= at)
    query = select(AliasEvent).where(col(AliasEvent.id).in_(newest))
    if alias is not None:
        query = query.where(AliasEvent.alias == alias)
    return [alias_view(row) for row in session.exec(query.order_by(col(AliasEvent.model), col(AliasEvent.alias)))]


def ever(session: Session, alias: str, *, at: int | None = None) -> set[tuple[str, int]]:
    """(model, version) that the alias points at or has pointed at; with `at` (µs), by then."""
    query = select(AliasEvent.model, AliasEvent.to_version).where(AliasEvent.alias == alias).distinct()
    if at is not None:
        query = query.where(col(AliasEvent.created_at) <= at)
    return {(model, version) for model, version in session.exec(query)}


def by_version(session: Session) -> Mapping[tuple[str, int], list[str]]:
    """(model, version) → the aliases that point at it; an empty list for all others."""
    return parted(current(session))


def parted(views: Iterable[AliasView]) -> Mapping[tuple[str, int], list[str]]:
    """The same from what `current` has told."""
    found: defaultdict[tuple[str, int], list[str]] = defaultdict(list)
    for view in views:
        found[view.model, view.version].append(view.alias)
    return found


def history(
    session: Session, model: str, alias: str | None = None, *, limit: int = 50, after: str | None = None
) -> Page[AliasEventView]:
    """Moves of a model's aliases, newest first."""
    query = select(AliasEvent).where(AliasEvent.model == model)
    if alias is not None:
        query = query.where(AliasEvent.alias == alias)
    if after is not None:
        (shown,) = decode_token(after, int)
        query = query.where(col(AliasEvent.id) < shown)
    rows = session.exec(query.order_by(col(AliasEvent.id).desc()).limit(limit + 1)).all()
    return page(rows, limit, event_view, lambda row: (row.id or 0,))


def of_version(session: Session, model: str, number: int) -> list[AliasEventView]:
    """Moves to or away from one version, newest first."""
    query = select(AliasEvent).where(
        AliasEvent.model == model,
        (col(AliasEvent.to_version) == number) | (col(AliasEvent.from_version) == number),
    )
    return [event_view(row) for row in session.exec(query.order_by(col(AliasEvent.id).desc()))]


def alias_view(row: AliasEvent) -> AliasView:
    """The alias as this move left it."""
    return AliasView(
        model=row.model,
        alias=row.alias,
        version=row.to_version,
        since=from_us(row.created_at),
        actor=row.actor,
        reason=row.reason,
    )


def event_view(row: AliasEvent) -> AliasEventView:
    return AliasEventView(
        id=row.id or 0,
        model=row.model,
        alias=row.alias,
        action=row.action,
        from_version=row.from_version,
        to_version=row.to_version,
        actor=row.actor,
        reason=row.reason,
        overridden=row.overridden,
        at=from_us(row.created_at),
    )
