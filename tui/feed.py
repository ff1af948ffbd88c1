"""The one stream of news: a thread that asks the daemon for changes, says when it is gone, and finds it again.

    connect ──► status ──► changes, changes, … ──┐
       ▲          │ Linked      │ Changed         │ the daemon is gone
       └──────────┴─ a short wait ◄── Cut ◄───────┘

A long poll costs the daemon nothing while nothing changes, and returns at once when its process dies.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Final

from tui.failure import Failure
from tui.messages import Changed, Cut, Linked

if TYPE_CHECKING:
    from textual.message import Message

    from tui.client import Client

POLL_SECONDS: Final = 5.0
"""How long one question waits for news."""
PATIENCE_SECONDS: Final = 5.0
"""And how long for its answer after that: a daemon that hangs must not stand there as live for half a minute."""
RETRY_SECONDS: Final = 0.5


class Feed(threading.Thread):
    """Runs until `stop`. `deliver` is called from this thread with Linked, Changed and Cut."""

    def __init__(
        self,
        connect: Callable[[], Client],
        deliver: Callable[[Message], object],
        now: Callable[[], datetime],
        *,
        pace: float,
    ) -> None:
        """`pace`: seconds between two pictures, at least; what changes meanwhile comes together."""
        super().__init__(name="feed", daemon=True)
        self._connect = connect
        self._deliver = deliver
        self._now = now
        self._pace = pace
        self._over = threading.Event()
        self._heard: datetime | None = None
        self._told = ""
        """Why the daemon cannot be heard, as it was said last."""

    def stop(self) -> None:
        self._over.set()

    def run(self) -> None:
        while not self._over.is_set():
            try:
                with self._connect() as daemon:
                    self._follow(daemon)
            except Failure as failure:
                self._tell(failure)
            except Exception as error:  # a fault of ours: what is on screen would stand there as live for ever
                remedy = "leave the UI with q and open it again; `trainshed status` shows the same without it"
                self._tell(Failure(f"the news cannot be read: {type(error).__name__}: {error}", remedy=remedy))
            self._over.wait(RETRY_SECONDS)

    def _tell(self, failure: Failure) -> None:
        """That nothing is heard, and why; once as long as that is the same."""
        if str(failure) != self._told and not self._over.is_set():
            self._deliver(Cut(failure, self._heard))
        self._told = str(failure)

    def _follow(self, daemon: Client) -> None:
        status = daemon.status()
        self._told = ""
        self._heard = self._now()
        self._deliver(Linked(status))
        since = status.rev
        while not self._over.is_set():
            changes = daemon.changes(since, wait=POLL_SECONDS, patience=PATIENCE_SECONDS)
            self._heard = self._now()
            if changes.rev != since:
                since = changes.rev
                self._deliver(Changed(changes))
                self._over.wait(self._pace)
