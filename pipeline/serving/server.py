"""The server of a worker's door: over sockets that were inherited, with bounds, and told when to begin and to end."""

from __future__ import annotations

import asyncio
import contextlib
import math
import socket
import ssl
import time
from collections.abc import Callable, Collection, Sequence
from typing import Final

from pipeline.serving.accepting import Accepting
from pipeline.serving.admission import Admission
from pipeline.serving.inbox import Inbox
from pipeline.serving.protocol import Admit, App, Connection, Service
from pipeline.serving.refusal import Refusal

KEEP_ALIVE_S: Final = 75.0
"""A connection on which nothing is asked is closed after so long."""
_LOOK_S: Final = 1.0
_QUIET_S: Final = 1.0
"""A connection that was idle so long is closed when its server retires."""
_OFTEN_S: Final = 0.02


class DataServer:
    """Serves until `drain`; leaves signals to its process."""

    def __init__(
        self,
        app: App,
        inbox: Inbox,
        *,
        admit: Admit = lambda _: None,
        most_connections: int,
        patience_s: float,
        drain_s: float,
        longest_wait_s: float = math.inf,
        on_crowded: Callable[[str], None] = lambda _: None,
        full: Callable[[str], bool] = lambda _: False,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`admit`: who is answered; everybody, if it is not given. `longest_wait_s`: who would wait for longer until
        others have begun is refused, and so is who would wait for them while what its path asks for is `full`;
        `on_crowded` hears the path."""
        admission = Admission(longest_wait_s, time.perf_counter)
        self._service = Service(app, admit, inbox, most_connections, admission, full, on_crowded)
        self._patience_s = patience_s
        self._drain_s = drain_s
        self._tls = tls
        self._ended = asyncio.Event()
        self._retiring = False
        self.lag_s = 0.0
        """How late the loop was at the last look."""

    @property
    def connections(self) -> int:
        return len(self._service.connections)

    async def serve_sockets(self, sockets: Sequence[socket.socket]) -> None:
        """Accepts from these sockets, which may be shared with other processes, until it has drained."""
        shake_s = None if self._tls is None else max(_LOOK_S, self._patience_s)
        doors = [Accepting(lambda: Connection(self._service), self._tls, shake_s) for _ in sockets]
        for door, one in zip(doors, sockets, strict=True):
            await door.begin(one)
        await self._keep_watch()
        for door in doors:
            door.end()
        if self._retiring:
            await self._let_go()
        await self._shut()

    def drain(self) -> None:
        """Accepts nothing more; ends when the requests in hand are answered, or their time is over."""
        self._ended.set()

    def retire(self) -> None:
        """Accepts nothing more, and says `Connection: close` with each answer; ends when the last client has gone.

        A client that has asked and not been answered yet is never cut off: only connections that have been idle for a
        while are closed from here.
        """
        self._retiring = self._service.closing = True
        self._ended.set()

    async def _keep_watch(self) -> None:
        """Looks at the connections once a second."""
        loop = asyncio.get_running_loop()
        look = max(0.05, min(_LOOK_S, self._patience_s / 4))
        while not self._ended.is_set():
            due = loop.time() + look
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), look)
            self.lag_s = max(0.0, loop.time() - due) if not self._ended.is_set() else self.lag_s
            watch(self._service.connections, loop.time(), self._patience_s)

    async def _let_go(self) -> None:
        """Clients that ask go elsewhere with their next answer; the others are closed when they have been idle."""
        await asyncio.sleep(0.05)  # what was accepted in this turn is on its way

        def close_idle() -> bool:
            now = asyncio.get_running_loop().time()
            for connection in list(self._service.connections):
                if connection.idle_since is not None and now - connection.idle_since > _QUIET_S:
                    connection.transport.close()
            return not self._service.connections

        await _until(close_idle, _QUIET_S + self._drain_s)

    async def _shut(self) -> None:
        """Whoever has not gone by the end of the time is cut off."""
        self._service.closing = True
        await asyncio.sleep(0.05)  # what was accepted in this turn is on its way
        for connection in list(self._service.connections):
            connection.shut()
        await _until(lambda: not self._service.connections, self._drain_s)
        for connection in list(self._service.connections):
            connection.transport.abort()
        await asyncio.sleep(0)


def watch(connections: Collection[Connection], now: float, patience_s: float) -> None:
    """Closes those that have been sending one message, or reading one answer, for longer than is waited for, and those
    that have asked nothing for long."""
    for connection in list(connections):
        transport, since = connection.transport, connection.receiving_since
        if since is not None and now - since > patience_s:
            connection.end(Refusal(408, f"the request did not come within {patience_s:g} s"))
        elif connection.idle_since is not None and now - connection.idle_since > KEEP_ALIVE_S:
            transport.close()
        # Of one that is being closed too: it waits until its last words are read.
        unsent = transport.get_write_buffer_size()
        if unsent == 0 or unsent < connection.unsent or connection.unsent_since is None:
            connection.unsent_since = now if unsent else None
        elif now - connection.unsent_since > patience_s:
            transport.abort()
        connection.unsent = unsent


async def _until(done: Callable[[], bool], seconds: float) -> None:
    """Or until so much time is over."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while not done() and loop.time() < deadline:
        await asyncio.sleep(_OFTEN_S)
