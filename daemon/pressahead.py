"""Versions are pressed before they are promoted: compiling takes seconds, and then nobody waits for them.

One thread that looks whenever the record has changed, and asks the serving supervisor to press one version after
another. A promotion goes before it; the supervisor presses to the end also when this daemon dies.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

from sqlmodel import Session

from daemon.endpoints import Endpoints
from daemon.roundsman import Roundsman
from daemon.servingprocess import PREPARE_S
from daemon.waits import waiting
from pipeline.config import Project
from pipeline.serving.readiness import pressed_key
from store import aliases, events, versions
from store.engine import Record
from store.errors import NotServable, NotServed
from store.times import Clock, to_us
from store.words import PRODUCTION

LOOK_S: Final = 3.0
"""Between two looks, at least: while something trains, the record changes all the time."""
REST_S: Final = 3600.0
_NEWEST: Final = 10
"""So many versions of a model are looked at, newest first."""
_QUEUED: Final = 20
_EVENTS: Final = 10
"""So many times a version may be pressed, on other machines or for other batch sizes, and the history is still read."""
_PRESSED: Final = "version.pressed"
_NOT_PRESSED: Final = "version.not_pressed"
log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A served model's newest version that has passed its gates."""

    model: str
    version: int
    digest: str
    production: int | None
    """The version in production."""
    programs: str | None
    """Key of its programs on this machine; None: it is not pressed."""
    told: bool = False
    """The history has it that these programs are there."""

    @property
    def is_next(self) -> bool:
        """It may be promoted, and would be something new."""
        return self.production is None or self.version > self.production


@dataclass(frozen=True)
class Choice:
    """What is pressed now."""

    candidate: Candidate | None
    reason: str
    """Why this one, or why none."""


def choose(candidates: Sequence[Candidate], tried: Collection[str], waits: str | None) -> Choice:
    """The next version to press, by model. Pure.

    `tried`: digests that were asked for before, with success or not: whatever became of them, their promotion says it.
    `waits`: a run that waits for the processor, if there is one.
    """
    for one in candidates:
        if one.is_next and one.programs is None and one.digest not in tried:
            if waits is not None:
                return Choice(None, f"{waits} waits for the processor, and goes first")
            return Choice(one, f"{one.model} {one.version} has passed its gates and is not pressed")
    return Choice(None, "all that could be promoted next is pressed")


def untold(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Those that are pressed, and nobody heard of it: the daemon died before the press ended. Pure."""
    return [one for one in candidates if one.is_next and one.programs is not None and not one.told]


class PressAhead(Roundsman):
    """To be stopped after the record has released those who wait for it. What is being pressed then goes on."""

    def __init__(self, record: Record, endpoints: Endpoints, project: Callable[[], Project], clock: Clock) -> None:
        super().__init__("press ahead", trouble="nothing is pressed ahead", action="press_trouble", again_s=LOOK_S)
        self._record = record
        self._endpoints = endpoints
        self._project = project
        self._clock = clock
        self._tried: set[tuple[str, int]] = set()
        """(digest, largest batch)."""
        self._seen: int | None = None
        """The revision of the record in which there was nothing to press."""

    def _round(self) -> float:
        if self._seen is not None:
            self._record.wait_for(self._seen, REST_S)
        if self._stopping:
            return LOOK_S
        self._seen = self._record.revision
        try:
            if self._look():
                self._seen = None
        except NotServed:  # the endpoints start, or end
            self._seen = None
        return LOOK_S

    def _look(self) -> bool:
        """Presses what is to be pressed now; whether there may be more. Raises NotServed."""
        section = self._project().serving
        if not section.press_ahead or not self._endpoints.wish.wanted or not self._endpoints.process.alive():
            return False
        largest = section.max_batch
        with self._record.read() as session:
            candidates = self._candidates(session, largest)
            waits = self._who_waits(session)
        for one in untold(candidates):
            self._tell(_PRESSED, one, "its programs are compiled", one.programs)
        tried = {digest for digest, size in self._tried if size == largest}
        chosen = choose(candidates, tried, waits).candidate
        if chosen is None:
            return False
        self._press(chosen, largest)
        return True

    def _candidates(self, session: Session, largest: int) -> list[Candidate]:
        found = []
        for model in filter(self._endpoints.wish.serves, [one.name for one in versions.model_views(session)]):
            newest = versions.rows(session, model, _NEWEST, None)
            passed = next((row for row in newest if row.verdict is not None and row.verdict["passed"]), None)
            if passed is not None:
                move = aliases.last_move(session, model, PRODUCTION)
                programs = pressed_key(self._record.home.serving, passed.digest, largest)
                found.append(
                    Candidate(
                        model=model,
                        version=passed.number,
                        digest=passed.digest,
                        production=None if move is None else move.to_version,
                        programs=programs,
                        told=_told(session, f"{model} {passed.number}", programs),
                    )
                )
        return found

    def _who_waits(self, session: Session) -> str | None:
        """A run for which no pool has room."""
        queued = waiting(session, to_us(self._clock()), _QUEUED, None)
        return next((f"run {one.run.id}" for one in queued if one.wait == "room"), None)

    def _press(self, one: Candidate, largest: int) -> None:
        who = f"{one.model} {one.version}"
        try:
            found = self._endpoints.process.ask("press", PREPARE_S, digest=one.digest)
        except NotServable as error:  # a supervisor of a release before does not know how
            log.info("%s is not pressed ahead: %s", who, error.what)
            self._tried.add((one.digest, largest))
            return
        if found["gave_way"]:
            return
        self._tried.add((one.digest, largest))
        if "fault" in found:
            self._tell(_NOT_PRESSED, one, found["fault"], None)
            return
        programs = pressed_key(self._record.home.serving, one.digest, largest)
        how = f"pressed in {found['seconds']:.1f} s, {found['compiled']} programs compiled"
        self._tell(_PRESSED, one, how, programs)

    def _tell(self, kind: str, one: Candidate, how: str, programs: str | None) -> None:
        """Not what the history says already: a version that cannot be pressed is tried by every new daemon."""
        subject = f"{one.model} {one.version}"
        what = "is ready to serve" if kind == _PRESSED else "could not be made ready to serve"
        message = f"{subject} {what}: {how}"
        with self._record.transaction() as tx:
            last = events.list_events(tx.session, subject=subject, kind=kind, limit=1).items
            if not last or (last[0].message, last[0].data.get("programs")) != (message, programs):
                data = {"programs": programs}
                events.append(tx, actor="daemon", kind=kind, subject=subject, message=message, data=data)


def _told(session: Session, subject: str, programs: str | None) -> bool:
    """An event of a release before names no programs, and tells of all."""
    found = events.list_events(session, subject=subject, kind=_PRESSED, limit=_EVENTS).items
    return any(event.data.get("programs", programs) == programs for event in found)
