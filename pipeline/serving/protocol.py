"""uvicorn's HTTP over a connection, with bounds that it does not have: bytes of a message, time, connections, and
requests that wait.

A client that sends a byte a minute, or reads none, costs a socket and a few kilobytes for a while; then it is closed.
A request that would have to wait for too many others is refused here, before anything is made of it: at three times of
what a process can answer, that is what most of its time would go into.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, ClassVar, Final

from uvicorn._types import ASGI3Application
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from pipeline.serving.admission import Admission
from pipeline.serving.refusal import Refusal, busy

MOST_HEAD: Final = 512 * 1024
"""Bytes of a request line with its headers, as far as the next read: a read is up to 256 KiB."""
_CROWDED: Final = busy("more requests wait than can be answered soon")


class BoundedProtocol(HttpToolsProtocol):
    """One connection. `bounded` makes the class with its limits."""

    most_bytes: ClassVar[int]
    """Of one message with everything."""
    most_connections: ClassVar[int]
    admission: ClassVar[Admission]

    def __init__(self, config: Config, server_state: ServerState, **rest: Any) -> None:
        super().__init__(config, server_state, **rest)
        self._bytes = 0
        self._in_head = False
        self._turned_away = False
        """The message that comes now is refused once it has come."""
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
        self._bytes, self._in_head, self._turned_away = 0, True, False
        self.idle_since = None
        self.receiving_since = self.loop.time()

    def on_headers_complete(self) -> None:
        self._in_head = False
        if self.admission.full and self._may_wait():
            self._turned_away = True
            if self.expect_100_continue:
                self._turn_away(close=True)
            return
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if not self._turned_away:
            super().on_body(body)

    def on_message_complete(self) -> None:
        if self._turned_away:
            self._turn_away(close=not self.parser.should_keep_alive())
        else:
            super().on_message_complete()
        self.receiving_since = None

    def _may_wait(self) -> bool:
        """Health and numbers are told all the more when much is asked; an answer under way keeps its place."""
        return self.parser.get_method() == b"POST" and (self.cycle is None or self.cycle.response_complete)

    def _turn_away(self, *, close: bool) -> None:
        if self.transport.is_closing():
            return
        self.admission.on_refused(self.url)
        self.idle_since = self.loop.time()
        close = close or bool(self.server_state.default_headers)  # which say `Connection: close` when it retires
        self.transport.write(_response(_CROWDED, close=close))
        if close:
            self.transport.close()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        if cycle.scope["method"] == "POST":
            self.admission.enter(lambda: super(BoundedProtocol, self)._start_asgi_task(cycle, app))
        else:
            super()._start_asgi_task(cycle, app)

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


def bounded(most_body: int, most_connections: int, admission: Admission) -> type[BoundedProtocol]:
    """What uvicorn takes as its protocol class."""
    limits = {"most_bytes": most_body + MOST_HEAD, "most_connections": most_connections, "admission": admission}
    return type("Bounded", (BoundedProtocol,), limits)


def _response(refusal: Refusal, *, close: bool = True) -> bytes:
    body = refusal.body()
    head = b"content-type: application/json\r\ncontent-length: %d\r\n" % len(body)
    head += b"connection: close\r\n" if close else b""
    if refusal.retry_after is not None:
        head += b"retry-after: %d\r\n" % refusal.retry_after
    return STATUS_LINE[refusal.status] + head + b"\r\n" + body
