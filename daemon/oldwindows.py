"""Windows of monitors go from the record once they are older than their monitor keeps them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from pipeline.config import Project
from pipeline.config.monitors import KEEP_WINDOWS
from pipeline.config.watched import monitors_of
from store import oldwindows
from store.engine import Record
from store.times import Clock, to_us, us

TIDY_US: Final = 3_600_000_000
"""Between two looks for old ones."""
log = logging.getLogger(__name__)


class OldWindows:
    """For one thread."""

    def __init__(self, record: Record, project: Callable[[], Project], clock: Clock) -> None:
        self._record = record
        self._project = project
        self._clock = clock
        self._tidied_at: int | None = None

    def tidy(self) -> None:
        """Forgets old ones, now and then. Of a monitor that the project has no more, by the usual time."""
        now = to_us(self._clock())
        if self._tidied_at is not None and now - self._tidied_at < TIDY_US:
            return
        self._tidied_at = now
        sections = monitors_of(self._project())
        with self._record.read() as session:
            known = oldwindows.monitors(session)
        for name in known:
            keep = sections[name].keep_windows if name in sections else KEEP_WINDOWS
            if keep is not None:
                self._forget(name, now - us(keep))

    def _forget(self, monitor: str, before: int) -> None:
        """So many at a time that nobody who writes waits for long; each time all or none of them."""
        gone = 0
        while self._has_old(monitor, before):
            with self._record.transaction() as tx:
                old = oldwindows.old_windows(tx.session, monitor, before)
                oldwindows.forget(tx, monitor, old)
            gone += len(old)
        if gone:
            log.info("%d old windows of monitor %s are forgotten", gone, monitor, extra={"action": "windows_forgotten"})

    def _has_old(self, monitor: str, before: int) -> bool:
        with self._record.read() as session:
            return bool(oldwindows.old_windows(session, monitor, before))
