"""The dead man's switch: an outside service is pinged while the daemon is well. It alarms when that stops.

Well means: the thread of the schedules goes round, and the record takes a commit. A daemon that only looks alive is
silent, as a dead one is.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from daemon.roundsman import Roundsman
from pipeline.config import Project
from pipeline.config.alerts import HeartbeatSection
from pipeline.secrets import resolve
from store import alive
from store.engine import Record
from store.errors import SecretMissing, TrainshedError
from store.times import Clock

log = logging.getLogger(__name__)
LOOK_S: Final = 30.0
"""Without a heartbeat: how often the project file in force is asked whether there is one."""


class Heartbeat(Roundsman):
    """It asks for the settings at each beat, so a changed project file needs no restart."""

    def __init__(
        self,
        record: Record,
        project: Callable[[], Project],
        clock: Clock,
        unwell: Callable[[], str | None],
    ) -> None:
        """`unwell`: why the daemon does not do its work, or None."""
        super().__init__("heartbeat", trouble="no ping is sent", action="heartbeat_trouble", again_s=LOOK_S)
        self._record = record
        self._project = project
        self._clock = clock
        self._unwell = unwell
        self.trouble: str | None = None
        """Why the last beat did not arrive, or was not sent."""

    def _round(self) -> float:
        settings = self._project().alerts.heartbeat
        if settings is None:
            self.trouble = None
            return LOOK_S
        self._told(self.beat(settings))
        return settings.every.total_seconds()

    def beat(self, settings: HeartbeatSection) -> str | None:
        """Pings if all is well; why it did not arrive, or was not sent, or None."""
        why = self._unwell() or self._unwritable()
        if why is not None:
            return f"no ping is sent: {why}"
        try:
            url = resolve(settings.url, self._project().root)
        except SecretMissing as error:
            return f"no ping is sent: {error.where}: {error.what}"
        from daemon.channels import web

        answer = web.ping(url, settings.timeout.total_seconds(), self._clock())
        return None if answer.ok else f"the ping did not arrive: {answer.text}"

    def _unwritable(self) -> str | None:
        try:
            with self._record.transaction() as tx:
                alive.mark(tx)
        except TrainshedError as error:
            return error.what
        return None

    def _told(self, trouble: str | None) -> None:
        """Says it once, when it begins and when it is over."""
        if trouble is not None and self.trouble is None:
            log.warning("the heartbeat: %s", trouble, extra={"action": "heartbeat_trouble"})
        elif trouble is None and self.trouble is not None:
            log.info("the heartbeat is heard again", extra={"action": "heartbeat_well"})
        self.trouble = trouble
