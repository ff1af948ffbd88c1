"""Following a log: a thread that waits for what is added, and tells it at most once a picture."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from textual.message import Message

from tui.failure import Failure
from tui.log.piece import BYTES, Chunk
from tui.log.reading import Place, read

if TYPE_CHECKING:
    from tui.client import Client

_WAIT_SECONDS: Final = 2.0
"""How long one question waits: a thread that was told to stop is gone after so long."""
_RETRY_SECONDS: Final = 1.0


class Grew(Message):
    """More of a log. `tail` tells an old thread's last word from a new one's."""

    def __init__(self, tail: Tail, chunk: Chunk) -> None:
        super().__init__()
        self.tail = tail
        self.chunk = chunk


class Tail(threading.Thread):
    """Runs until `stop`, or until the run has ended and everything was told."""

    def __init__(
        self,
        connect: Callable[[], Client],
        deliver: Callable[[Message], object],
        place: Place,
        offset: int,
        *,
        pace: float,
    ) -> None:
        """`pace`: seconds between two messages, at least: a chatty run costs no more than a calm one."""
        super().__init__(name="tail", daemon=True)
        self._connect = connect
        self._deliver = deliver
        self._place = place
        self._offset = offset
        self._pace = pace
        self._over = threading.Event()

    def stop(self) -> None:
        self._over.set()

    def run(self) -> None:
        while not self._over.is_set():
            try:
                with self._connect() as daemon:
                    self._follow(daemon)
                return
            except Failure:
                self._over.wait(_RETRY_SECONDS)

    def _follow(self, daemon: Client) -> None:
        place = self._place
        while not self._over.is_set():
            found = daemon.log(place.run, place.stream, offset=self._offset, attempt=place.attempt, wait=_WAIT_SECONDS)
            if found.text:
                start = max(self._offset, found.dropped)  # what stood before was let go of by the size cap
                self._tell(daemon, Chunk(found.text, start, found.offset, found.size, found.dropped))
            elif found.ended:
                return

    def _tell(self, daemon: Client, chunk: Chunk) -> None:
        """What is far behind the end is passed over: nobody could have read it."""
        if chunk.size - chunk.start > 4 * BYTES:
            chunk = read(daemon, self._place, -BYTES)
        self._offset = chunk.end
        if not self._over.is_set():
            self._deliver(Grew(self, chunk))
        self._over.wait(self._pace)
