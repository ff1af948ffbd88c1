"""uvicorn's HTTP over a connection, with bounds that it does not have: bytes of a message, time, and connections.

A client that sends a byte a minute, or reads none, costs a socket and a few kilobytes for a while; then it is closed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, ClassVar, Final

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from pipeline.serving.refusal import Refusal

MOST_HEAD: Final = 512 * 1024
"""Bytes of a request line with its headers, as far as the next read: a read is up to 256 KiB."""


class BoundedProtocol(HttpToolsProtocol):
    """One connection. `bounded` makes the class with its limits."""

    most_bytes: ClassVar[int]
    """Of one message with everything."""
    most_connections: ClassVar[int]

    def __init__(self, config: Config, server_state: ServerState, **rest: Any) -> None:
        super().__init__(config, server_state, **rest)
        self._bytes = 0
        self._in_head = False
        self.receiving_since: float | None = None
        """The loop's clock; None when a whole message has come and no other one has begun."""
        self.idle_since: float | None = None
        """The loop's clock; None while a message comes or its answer is made."""
        self.unsent = 0
        self.unsent_since: float | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.receiving_since = self.idle_since = self.loop.time()
        if len(self.connections) > self.most_connections:
            self.refuse(Refusal(503, f"more than {self.most_connections} connections are open", retry_after=1))

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._bytes += len(data)
        if self._bytes > (MOST_HEAD if self._in_head else self.most_bytes):
            self.refuse(Refusal(431 if self._in_head else 413, "the request is larger than it may be"))

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._bytes, self._in_head = 0, True
        self.idle_since = None
        self.receiving_since = self.loop.time()

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._in_head = False

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self.receiving_since = None

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.receiving_since is None:
            self.idle_since = self.loop.time()

    def send_400_response(self, msg: str) -> None:
        self.refuse(Refusal(400, msg))

    def refuse(self, refusal: Refusal) -> None:
        """Says why, if no answer is under way, and closes."""
        if self.transport.is_closing():
            return
        if self.cycle is None or not self.cycle.response_started:
            self.transport.write(_response(refusal))
        self.transport.close()


def watch(connections: Iterable[Any], now: float, patience_s: float) -> None:
    """Closes those that have been sending one message, or reading one answer, for longer than is waited for."""
    for connection in list(connections):
        transport = connection.transport
        if transport is None:
            continue
        since = connection.receiving_since
        if since is not None and now - since > patience_s:
            connection.refuse(Refusal(408, f"the request did not come within {patience_s:g} s"))
        # Of one that is being closed too: it waits until its last words are read.
        unsent = transport.get_write_buffer_size()
        if unsent == 0 or unsent < connection.unsent or connection.unsent_since is None:
            connection.unsent_since = now if unsent else None
        elif now - connection.unsent_since > patience_s:
            transport.abort()
        connection.unsent = unsent


def bounded(most_body: int, most_connections: int) -> type[BoundedProtocol]:
    """What uvicorn takes as its protocol class."""
    limits = {"most_bytes": most_body + MOST_HEAD, "most_connections": most_connections}
    return type("Bounded", (BoundedProtocol,), limits)


def _response(refusal: Refusal) -> bytes:
    body = refusal.body()
    head = b"content-type: application/json\r\nconnection: close\r\ncontent-length: %d\r\n" % len(body)
    if refusal.retry_after is not None:
        head += b"retry-after: %d\r\n" % refusal.retry_after
    return STATUS_LINE[refusal.status] + head + b"\r\n" + body
