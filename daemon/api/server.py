"""uvicorn, told three things: who calls over a unix socket, to be silent at rest, and how to be stopped."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Generator
from typing import Final

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from daemon.service import Peer, peer_of

PEER: Final = "trainshed.peer"
"""Key in a request's scope: the `Peer` at the other end of a unix socket, None over TCP."""
_CLOSING_SECONDS: Final = 1
"""For requests that are being answered when the server is told to stop."""


class _Introduced:
    """The app, told of each request who sent it. One for each connection."""

    def __init__(self, app: ASGIApp, peer: Peer | None) -> None:
        self._app = app
        self._peer = peer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[PEER] = self._peer
        await self._app(scope, receive, send)


class PeerProtocol(H11Protocol):
    """HTTP over a connection whose owner is asked of the kernel once, when it opens."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        connection: socket.socket = transport.get_extra_info("socket")
        self.app = _Introduced(self.app, peer_of(connection))


class ControlServer(uvicorn.Server):
    """Serves until `stop`; leaves signals to its caller."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=PeerProtocol,
                ws="none",
                loop="asyncio",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                date_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=_CLOSING_SECONDS,
                timeout_keep_alive=75,
            )
        )
        self._stopping = asyncio.Event()
        self._on_ready: Callable[[], None] = lambda: None

    async def serve_when(self, on_ready: Callable[[], None], sockets: list[socket.socket]) -> None:
        """Serves these listening sockets; `on_ready` is called once, when requests are answered."""
        self._on_ready = on_ready
        await self.serve(sockets)

    def stop(self, *, at_once: bool = False) -> None:
        """End `serve`: after the requests in hand, or `at_once`. Call it in the server's own thread."""
        self.should_exit = True
        self.force_exit = self.force_exit or at_once
        self._stopping.set()

    async def main_loop(self) -> None:
        """uvicorn wakes ten times a second for a date header and signals; we have neither, so nothing wakes."""
        await self.on_tick(0)
        self._on_ready()
        await self._stopping.wait()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """The composition root owns the signals."""
        yield
