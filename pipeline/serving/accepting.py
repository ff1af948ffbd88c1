"""New connections: many in a turn of the event loop, where libuv takes in one (libuv/libuv#3696).

With one, who comes while turns are long stands before the door for seconds: it cannot even be told that there is no
room. So whoever is taken in the usual way has those taken in who stand behind it.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable
from typing import Final

from pipeline.serving.listening import BACKLOG

MOST: Final = 64
"""Taken in after one, in a turn: some 1.5 ms."""


class Accepting:
    """Of one listening socket, which may be shared with other processes; belongs to the thread of its event loop."""

    def __init__(
        self, made: Callable[[], asyncio.Protocol], tls: ssl.SSLContext | None, shake_s: float | None = None
    ) -> None:
        """`made`: the protocol of a new connection; `shake_s`: how long a client may take until TLS is agreed on."""
        self._made = made
        self._tls = tls
        self._shake_s = shake_s
        self._loop = asyncio.get_running_loop()
        self._listener: socket.socket | None = None
        self._server: asyncio.Server
        self._asked = False
        self._coming: set[asyncio.Task[None]] = set()

    async def begin(self, listener: socket.socket) -> None:
        """Takes the socket over."""
        self._listener = listener.dup()
        self._server = await self._loop.create_server(
            self._first, sock=listener, ssl=self._tls, backlog=BACKLOG, ssl_handshake_timeout=self._shake_s
        )

    def end(self) -> None:
        """Takes in nobody more."""
        self._server.close()
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def _first(self) -> asyncio.Protocol:
        if not self._asked:
            self._asked = True
            self._loop.call_soon(self._others)
        return self._made()

    def _others(self) -> None:
        self._asked = False
        with contextlib.suppress(OSError):  # nobody stands there, or what is wrong is for libuv to hear of
            for _ in range(MOST):
                if self._listener is not None:
                    self._begin_with(self._listener.accept()[0])

    def _begin_with(self, one: socket.socket) -> None:
        task = self._loop.create_task(self._take(one))
        self._coming.add(task)
        task.add_done_callback(self._coming.discard)

    async def _take(self, one: socket.socket) -> None:
        with contextlib.suppress(OSError):  # it has gone, or speaks no TLS
            await self._loop.connect_accepted_socket(
                self._made, one, ssl=self._tls, ssl_handshake_timeout=self._shake_s
            )
