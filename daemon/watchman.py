"""The thread that makes alerts of what needs a person, so that channels tell it to those who are not looking.

A fault counts once two looks have seen it: what is gone within half a minute wakes nobody. That the daemon before had
died is over once this one has lived for a day.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from daemon.daemonalerts import LIFE, NEEDS, covered_by, findings_of, keys_of
from daemon.roundsman import Roundsman
from pipeline.config.alerts import AlertsSection
from store import alerts
from store.engine import Record
from store.findings import Finding
from store.times import Clock, to_us
from store.wire import NeedView, RunView
from store.words import AlertKind

EVERY_S: Final = 30.0
WELL_US: Final = 86_400_000_000
AGAIN_US: Final = 600_000_000
"""After so long the record is told again of what has not changed."""
Seen = tuple[Sequence[NeedView], Sequence[RunView]]
"""What needs a person, and each job's newest run."""


class Watchman(Roundsman):
    def __init__(
        self, record: Record, settings: Callable[[], AlertsSection], see: Callable[[], Seen | None], clock: Clock
    ) -> None:
        """`see`: None while the daemon is on its way out."""
        trouble = "needs are not looked at"
        super().__init__("watchman", trouble=trouble, action="watchman_trouble", first_s=EVERY_S, again_s=EVERY_S)
        self._record = record
        self._settings = settings
        self._see = see
        self._clock = clock
        self._before: set[tuple[AlertKind, str]] = set()
        """What the look before has seen."""
        self._told: tuple[Sequence[Finding], int] = ((), 0)
        """What the record was told last, and when (µs)."""
        self._began = to_us(clock())

    def _round(self) -> float:
        self.look()
        self.live_on()
        return EVERY_S

    def look(self) -> None:
        """Once. Without a channel nobody would hear of it: what was found is over, and nothing new is."""
        settings = self._settings()
        wanted = settings.watch and bool(settings.channels)
        with self._record.read() as session:
            there = alerts.keys_there(session, NEEDS)
        if not wanted and not there:
            return
        seen = self._see()
        if seen is None:
            return
        needs, last = seen
        found = findings_of(needs, last) if wanted else []
        known = self._before | there
        self._before = set(keys_of(found))
        steady = [finding for finding in found if (finding.kind, finding.subject) in known]
        if self._is_news(steady, there):
            covered = covered_by(last) if wanted else dict.fromkeys(covered_by([]))
            at = to_us(self._clock())
            with self._record.transaction() as tx:
                alerts.observe(tx, NEEDS, steady, at, covered=covered, policy=settings.policy)
            self._told = steady, at

    def live_on(self) -> None:
        """After a day it is well again."""
        at = to_us(self._clock())
        if at - self._began < WELL_US:
            return
        self._began = at
        with self._record.read() as session:
            died = alerts.keys_there(session, LIFE)
        if died:
            with self._record.transaction() as tx:
                alerts.observe(tx, LIFE, [], at, covered={"daemon": None}, policy=self._settings().policy)

    def _is_news(self, steady: Sequence[Finding], there: set[tuple[AlertKind, str]]) -> bool:
        """The same once more is none, but now and then: reminders are due by what is told."""
        told, at = self._told
        if told == steady and set(keys_of(steady)) == there:
            return bool(there) and to_us(self._clock()) - at >= AGAIN_US
        return True
