"""The thread that sends what waits in the outbox. A channel that is slow keeps no other waiting."""

from __future__ import annotations

import logging
import random
import threading
import time
import uuid
from collections.abc import Callable
from typing import Final

from daemon.messenger import Messenger
from daemon.roundsman import STOP_S, Roundsman
from pipeline.config import Project
from store.engine import Record
from store.errors import NotFound
from store.tables import Delivery
from store.times import Clock
from store.wire import ChannelTest

log = logging.getLogger(__name__)
LOOK_S: Final = 1.0
IDLE_S: Final = 30.0
"""Without a channel there is nothing to send; what waits for one that is gone can wait."""
HELD_S: Final = 30.0
"""A channel whose last message could not be noted is left alone for so long: it may have been sent."""


class Notifier(Roundsman):
    """Woken when there may be other channels."""

    def __init__(self, record: Record, project: Callable[[], Project], clock: Clock) -> None:
        super().__init__("notifier", trouble="messages wait", action="notify_trouble", again_s=LOOK_S)
        self._messenger = Messenger(record, project, clock, random.random, lambda: uuid.uuid4().hex)
        self._project = project
        self._under_way: dict[str, threading.Thread] = {}
        """Channel → the thread that sends its message."""
        self._held: dict[str, float] = {}
        """Channel → when (monotonic) it may be told again."""

    def stop(self) -> None:
        """Waits a moment for what is under way; what is not noted by then is sent again, with the same key."""
        super().stop()
        for thread in list(self._under_way.values()):
            thread.join(STOP_S)

    def test(self, channel: str, actor: str) -> ChannelTest:
        """Sends a message that says that it is a test, now. Raises NotFound."""
        done = self._messenger.test(channel, actor)
        if done is None:
            known = ", ".join(self._project().alerts.channels) or "none"
            raise NotFound(
                f"there is no channel {channel!r}; known: {known}",
                where=f"alerts.channels.{channel}",
                remedy=f"write [alerts.channels.{channel}] into trainshed.toml, then `trainshed up` or reload",
            )
        return done

    def _round(self) -> float:
        self._under_way = {name: thread for name, thread in self._under_way.items() if thread.is_alive()}
        self._messenger.tidy()
        self._messenger.bind()
        for row in self._messenger.due():
            if row.channel not in self._under_way and time.monotonic() >= self._held.get(row.channel, 0.0):
                thread = threading.Thread(target=self._deliver, args=(row,), name=f"tell-{row.channel}", daemon=True)
                self._under_way[row.channel] = thread
                thread.start()
        return LOOK_S if self._project().alerts.channels else IDLE_S

    def _deliver(self, row: Delivery) -> None:
        try:
            self._messenger.deliver(row)
        except Exception as error:
            # Sent or not, it is not noted: it is tried again, with the same key, and not at once.
            self._held[row.channel] = time.monotonic() + HELD_S
            if not self._stopping:
                log.warning("what came of a message is not noted: %s", error, extra={"action": "notify_trouble"})
        else:
            self.wake()
