"""uvicorn around the app: over sockets that were inherited, with bounds, and told when to begin and to end."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import time
from collections.abc import Callable, Generator, Sequence
from typing import Any, Final, cast

import uvicorn

from pipeline.serving.admission import Admission
from pipeline.serving.listening import BACKLOG
from pipeline.serving.protocol import BoundedProtocol, bounded, watch

ACCEPTED: Final = 16
"""New connections that one turn of the loop takes in, at most: libuv takes one of each socket (libuv/libuv#3696). With
one alone, who comes while turns are long waits for seconds, and nobody says so."""
_KEEP_ALIVE_S: Final = 75
_LOOK_S: Final = 1.0
_QUIET_S: Final = 1.0
"""A connection that was idle so long is closed when its server retires."""
_CLOSE: Final = (b"connection", b"close")


class DataServer(uvicorn.Server):
    """Serves until `drain`; leaves signals to its process."""

    def __init__(
        self,
        app: Any,
        *,
        most_body: int,
        most_connections: int,
        patience_s: float,
        drain_s: float,
        longest_wait_s: float,
        on_crowded: Callable[[bytes], None],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`longest_wait_s`: requests that would wait for longer until others have begun are refused, and `on_crowded`
        hears their paths."""
        admission = Admission(longest_wait_s, time.perf_counter, on_crowded)
        super().__init__(
            uvicorn.Config(
                app,
                interface="asgi3",
                http=bounded(most_body, most_connections, admission),
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                date_header=False,
                proxy_headers=False,
                timeout_keep_alive=_KEEP_ALIVE_S,
                timeout_graceful_shutdown=max(1, round(drain_s)),
                backlog=BACKLOG,
            )
        )
        self.config.load()
        self.config.ssl = tls
        self._patience_s = patience_s
        self._ended = asyncio.Event()
        self._drain_s = drain_s
        self._retiring = False
        self.lag_s = 0.0
        """How late the loop was at the last look."""

    @property
    def connections(self) -> int:
        return len(self.server_state.connections)

    async def serve_sockets(self, sockets: Sequence[socket.socket]) -> None:
        """Accepts from these sockets, which may be shared with other processes, until it has drained."""
        await self.serve([*sockets, *(one.dup() for one in sockets for _ in range(ACCEPTED - 1))])

    def drain(self) -> None:
        """Accepts nothing more; ends when the requests in hand are answered, or their time is over."""
        self.should_exit = True
        self._ended.set()

    def retire(self) -> None:
        """Accepts nothing more, and says `Connection: close` with each answer; ends when the last client has gone.

        A client that has asked and not been answered yet is never cut off: only connections that have been idle for a
        while are closed from here.
        """
        self._retiring = True
        self.server_state.default_headers = [_CLOSE]
        self.drain()

    async def main_loop(self) -> None:
        """Looks at the connections once a second, instead of ten times for a date that nobody needs."""
        await self.on_tick(0)
        loop = asyncio.get_running_loop()
        look = max(0.05, min(_LOOK_S, self._patience_s / 4))
        while not self.should_exit:
            due = loop.time() + look
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), look)
            self.lag_s = max(0.0, loop.time() - due) if not self.should_exit else self.lag_s
            watch(self.server_state.connections, loop.time(), self._patience_s)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn does it; whoever has not gone by then is cut off."""
        if self._retiring:
            await self._let_go(sockets or [])
        await super().shutdown(sockets)
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)

    async def _let_go(self, sockets: Sequence[socket.socket]) -> None:
        for server in self.servers:
            server.close()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _QUIET_S + self._drain_s
        await asyncio.sleep(0.05)  # what was accepted in this turn is on its way
        while self.server_state.connections and loop.time() < deadline:
            for connection in cast(list[BoundedProtocol], list(self.server_state.connections)):
                if connection.idle_since is not None and loop.time() - connection.idle_since > _QUIET_S:
                    connection.transport.close()
            await asyncio.sleep(0.02)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Its process owns them."""
        yield
