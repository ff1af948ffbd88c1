"""uvicorn around the app: over sockets that were inherited, with bounds, and told when to begin and to end."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Generator, Sequence
from typing import Any, Final

import uvicorn

from pipeline.serving.listening import BACKLOG
from pipeline.serving.protocol import bounded, watch

_KEEP_ALIVE_S: Final = 75
_LOOK_S: Final = 1.0


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
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                interface="asgi3",
                http=bounded(most_body, most_connections),
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
        self.lag_s = 0.0
        """How late the loop was at the last look."""

    @property
    def connections(self) -> int:
        return len(self.server_state.connections)

    async def serve_sockets(self, sockets: Sequence[socket.socket]) -> None:
        """Accepts from these sockets, which may be shared with other processes, until it has drained."""
        await self.serve(list(sockets))

    def drain(self) -> None:
        """Accepts nothing more; ends when the requests in hand are answered, or their time is over."""
        self.should_exit = True
        self._ended.set()

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
        await super().shutdown(sockets)
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Its process owns them."""
        yield
