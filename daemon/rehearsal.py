"""What a change of the record would do to a model's route, seen without changing anything."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sqlmodel import Session

from daemon.routes import route_of
from pipeline.config import Project
from store import aliases
from store.engine import Record, Transaction
from store.errors import Conflict
from store.routing import Route
from store.words import PRODUCTION

T = TypeVar("T")
Change = Callable[[Transaction], T]
"""Of the record; it may be called twice, the first time to see what it would do."""


class _Rehearsed(Exception):
    """Ends a transaction that was only tried."""


class Rehearsal:
    """May be asked from any thread."""

    def __init__(self, record: Record, project: Callable[[], Project]) -> None:
        self._record = record
        self._project = project

    def of(self, model: str, change: Change[T]) -> tuple[T, Route]:
        """What a change gives, and the route that it makes. Raises what `change` raises."""
        found: list[tuple[T, Route]] = []
        try:
            with self._record.transaction() as tx:
                given = change(tx)
                tx.session.flush()
                found.append((given, self.route(tx.session, model)))
                raise _Rehearsed
        except _Rehearsed:
            return found[0]

    def route(self, session: Session, model: str) -> Route:
        """By the record, whether it is served or not. Raises Conflict without a version in production."""
        live = aliases.last_move(session, model, PRODUCTION)
        if live is None:
            raise Conflict(
                f"no version of {model} is in production, so there is no traffic to part",
                where=model,
                remedy=f"`trainshed promote {model} VERSION` puts one there",
            )
        return route_of(session, model, live.to_version, self._project().serving.slow.total_seconds())
