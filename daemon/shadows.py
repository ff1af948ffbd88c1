"""Whether shadows run, by what the workers say: the history is told once when one does not, once when it does again.

The last word of the history is what is held against, so a daemon that is started anew tells nothing twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlmodel import Session

from daemon.numbers import Facts, loaded, missing
from store import events, shadows
from store.engine import Record
from store.routing import Arm, Route
from store.tables import Shadow
from store.wire import EventView

RUNNING: Final = "shadow.running"
NOT_RUNNING: Final = "shadow.not_running"


@dataclass(frozen=True)
class Standing:
    """What is known of one shadow."""

    model: str
    version: int
    why: str | None
    """Why it does not run; None: it runs."""


def standing(model: str, version: int, workers: Sequence[Facts]) -> Standing | None:
    """None while no worker has tried to load it, or does not say."""
    why = missing(workers, model, str(version))
    if why:
        return Standing(model, version, why)
    return Standing(model, version, None) if loaded(workers, model, str(version)) else None


def new_shadows(before: Mapping[str, Route], routes: Mapping[str, Route]) -> dict[str, Arm]:
    """Model → its shadow, where the routes before had another one or none."""
    return {
        model: route.shadow
        for model, route in routes.items()
        if route.shadow is not None and (model not in before or before[model].shadow != route.shadow)
    }


@dataclass(frozen=True)
class Idle:
    """A shadow that does not run, as the history has it."""

    model: str
    version: int
    why: str
    since: datetime


def idle(session: Session) -> list[Idle]:
    """By model."""
    found = []
    for row in shadows.all_shadows(session):
        last = _last_word(session, row)
        if last is not None and last.kind == NOT_RUNNING:
            found.append(Idle(row.model, row.version, last.data["why"], last.at))
    return found


class ShadowWatch:
    """Called with every look at the workers' numbers, from one thread."""

    def __init__(self, record: Record) -> None:
        self._record = record

    def look(self, workers: Sequence[Facts]) -> None:
        """Writes down what is not in the history yet."""
        with self._record.read() as session:
            news = list(_news(session, shadows.all_shadows(session), workers))
        for one in news:
            self._tell(one)

    def _tell(self, one: Standing) -> None:
        subject = f"{one.model} {one.version}"
        kind, message = RUNNING, f"the shadow {subject} runs: it is given its copies again"
        if one.why is not None:
            kind, message = NOT_RUNNING, f"the shadow {subject} does not run, and gets no copies: {one.why}"
        with self._record.transaction() as tx:
            now = shadows.current(tx.session, one.model)
            if now is not None and now.version == one.version:
                data = {"version": one.version, "why": one.why}
                events.append(tx, actor="daemon", kind=kind, subject=subject, message=message, data=data)


def _news(session: Session, rows: Iterable[Shadow], workers: Sequence[Facts]) -> Iterable[Standing]:
    for row in rows:
        found = standing(row.model, row.version, workers)
        if found is not None and found.why != _told(session, row):
            yield found


def _told(session: Session, row: Shadow) -> str | None:
    """Why it does not run, as the history has it by now; None: it runs, or nothing was said since it began."""
    last = _last_word(session, row)
    why: str | None = last.data["why"] if last is not None and last.kind == NOT_RUNNING else None
    return why


def _last_word(session: Session, row: Shadow) -> EventView | None:
    return next(
        iter(events.list_events(session, subject=f"{row.model} {row.version}", kind="shadow", limit=1).items), None
    )
