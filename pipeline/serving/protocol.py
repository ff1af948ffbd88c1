"""HTTP/1.1 over one connection: bytes → requests, answers → bytes, one after another in the order they were asked in.

httptools parses. The app is a coroutine that is run as soon as its request is whole, by this class and not by a task:
it waits once, for the batch that it is in. An answer is one write. With bounds on the bytes of a message, on time and
on connections: a client that sends a byte a minute, or reads none, costs a socket and a few kilobytes for a while; then
it is closed. A request that would have to wait for too many others is refused by its head, before anything is made of
it: at three times of what a process can answer, that is what most of its time would go into.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Final

import httptools

from pipeline.serving.admission import Admission
from pipeline.serving.heads import path_of, without_offer, written
from pipeline.serving.inbox import Inbox, Incoming
from pipeline.serving.pending import Pending
from pipeline.serving.refusal import Refusal, busy
from pipeline.serving.request import Answer, ClientGone, Request, refusal_answer

MOST_HEAD: Final = 512 * 1024
"""Bytes of a request line with its headers, as far as the next read: a read is up to 256 KiB."""
_CROWDED: Final = refusal_answer(busy("more requests wait than can be answered soon"))
_CROWDED_BYTES: Final = written(_CROWDED, last=False, body=True)
"""Made once: it is written most when there is least time for it."""
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"

App = Callable[[Request], Coroutine[Any, Any, Answer | None]]
"""None: there is nobody to answer. It raises nothing, and waits for futures: it is in no task, so what needs one
(`asyncio.timeout`) has to be in a task of its own."""
Admit = Callable[[Request], Answer | None]
"""By its head alone: None lets a request in."""


@dataclass
class Service:
    """What the connections of a server share."""

    app: App
    admit: Admit
    inbox: Inbox
    most_connections: int
    admission: Admission
    full: Callable[[str], bool]
    """Whether what a path asks for has no room: who would wait, and hear it then, hears it at once."""
    on_crowded: Callable[[str], None]
    """Hears the path of each request that there was no room for."""
    connections: set[Connection] = field(default_factory=set)
    closing: bool = False
    """Then each answer is the last of its connection."""


class Connection(asyncio.Protocol):
    """Belongs to the thread of its event loop."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._loop = asyncio.get_running_loop()
        self._parser: Any = httptools.HttpRequestParser(self)
        self.transport: asyncio.Transport
        # The message that is being received.
        self._bytes = 0
        self._in_head = self._offered = False
        """`_offered`: its head would have something else spoken than HTTP/1.1."""
        self._url = b""
        self._headers: dict[bytes, bytes] = {}
        self._coming: Request | None = None
        """None once its body is here, or is not wanted."""
        self._incoming = Incoming(service.inbox)
        # Those that are to be answered.
        self._waiting: deque[Request] = deque()
        self._request: Request | None = None
        self._work: Coroutine[Any, Any, Answer | None] | None = None
        self._going_on = False
        self._ended = False
        """Nothing more is taken."""
        self._paused = False
        self._choked = False
        """Answers are made faster than they are read."""
        self.receiving_since: float | None = None
        """The loop's clock; None when a whole message has come and no other one has begun."""
        self.idle_since: float | None = None
        """The loop's clock; None while a message comes or its answer is made."""
        self.unsent = 0
        self.unsent_since: float | None = None

    # ------------------------------------------------------------------------------------------- the transport

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport = transport
        connections, most = self._service.connections, self._service.most_connections
        connections.add(self)
        self.receiving_since = self.idle_since = self._loop.time()
        if len(connections) > most:
            self.end(Refusal(503, f"more than {most} connections are open", retry_after=1))

    def connection_lost(self, exc: Exception | None) -> None:
        self._service.connections.discard(self)
        self._parser = None  # which holds this
        self._ended, self._choked = True, False
        self._waiting.clear()
        if self._coming is not None:
            self._settle(self._coming, ClientGone())
            self._go_on()

    def data_received(self, data: bytes) -> None:
        if self._ended:
            return
        try:
            self._parse(data)
        except httptools.HttpParserError:
            self.end(Refusal(400, "this is no HTTP request"))
            return
        self._bytes += len(data)
        if self._bytes > (MOST_HEAD if self._in_head else MOST_HEAD + self._service.inbox.most_body):
            self.end(Refusal(431 if self._in_head else 413, "the request is larger than it may be"))
            return
        self._go_on()

    def pause_writing(self) -> None:
        self._choked = True
        self._go_on()

    def resume_writing(self) -> None:
        self._choked = False
        self._go_on()

    # ---------------------------------------------------------------------------------------------- the parser

    def _parse(self, data: bytes | memoryview) -> None:
        """Raises HttpParserError."""
        while True:
            try:
                self._parser.feed_data(data)
                return
            except httptools.HttpParserUpgrade as stopped:
                if not self._offered:  # CONNECT, which is refused; what follows would be something else
                    self._ended = True
                    return
                # The parser would pass over the body: the head is read again, as if nothing had been offered.
                parser, data = self._parser, memoryview(data)[stopped.args[0] :]
                head = without_offer(parser.get_method(), self._url, parser.get_http_version(), self._headers)
                self._parser = httptools.HttpRequestParser(self)
                self._parser.feed_data(head)

    def on_message_begin(self) -> None:
        self._bytes, self._in_head, self._offered = 0, True, False
        self._url, self._headers = b"", {}
        self.idle_since, self.receiving_since = None, self._loop.time()

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:  # and not behind the body
            self._headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        self._in_head = False
        parser, headers = self._parser, self._headers
        self._offered = parser.should_upgrade() and parser.get_method() != b"CONNECT"
        if self._offered:
            return
        keep_alive = parser.get_http_version() != "1.0" and parser.should_keep_alive()
        request = Request(
            parser.get_method().decode("ascii"), path_of(self._url), headers, time.perf_counter(), keep_alive=keep_alive
        )
        self._coming = request
        request.answer = self._service.admit(request) or self._turned_away(request)
        if request.answer is not None:
            self._settle(request)
            return
        try:
            self._service.inbox.look_at(headers)
        except Refusal as refusal:
            self._settle(request, refusal)
            return
        if b"expect" in headers and headers[b"expect"].lower() == b"100-continue" and not self._busy:
            self.transport.write(_CONTINUE)

    def _turned_away(self, request: Request) -> Answer | None:
        """Health and numbers are told all the more when much is asked; what has others before it keeps its place."""
        admission = self._service.admission
        if not admission.queued or request.method != "POST" or self._busy:
            return None
        if not (admission.turns_away() or self._service.full(request.path)):
            return None
        self._service.on_crowded(request.path)
        # Who waits for leave to send its body does not send it now.
        return _CROWDED._replace(last=True) if b"expect" in request.headers else _CROWDED

    def on_body(self, body: bytes) -> None:
        if self._coming is None:
            return
        try:
            self._incoming.add(body)
        except Refusal as refusal:
            self._settle(self._coming, refusal)

    def on_message_complete(self) -> None:
        if self._offered:
            return
        self.receiving_since = None
        if self._coming is not None:
            self._coming.body = self._incoming.whole()
            self._settle(self._coming)
        elif not self._busy:
            self.idle_since = self._loop.time()

    def _settle(self, request: Request, lost: Refusal | ClientGone | None = None) -> None:
        """It can be answered; what may still come of its body is thrown away."""
        self._coming = None
        self._incoming.let_go()
        request.lost = lost
        self._waiting.append(request)

    # -------------------------------------------------------------------------------------------------- answers

    @property
    def _busy(self) -> bool:
        return self._request is not None or bool(self._waiting)

    def _go_on(self) -> None:
        """Answers what can be answered, and reads on when nothing waits for that."""
        if self._going_on:
            return
        self._going_on = True
        try:
            while self._waiting and self._request is None and not self._choked:
                self._begin(self._waiting.popleft())
        finally:
            self._going_on = False
        pause = self._choked or bool(self._waiting)
        if pause != self._paused and not self.transport.is_closing():
            self._paused = pause
            (self.transport.pause_reading if pause else self.transport.resume_reading)()

    def _begin(self, request: Request) -> None:
        self._request = request
        if request.answer is not None:
            self._answered(request, request.answer)
            return
        if request.method == "POST":
            self._service.admission.enter(self._start)
        else:
            self._start()

    def _start(self) -> None:
        """Now, or in a later turn of the loop."""
        assert self._request is not None
        if self.transport.is_closing():  # who has gone meanwhile is told nothing, and nothing is computed for them
            self._request.lost = self._request.lost or ClientGone()
        self._work = self._service.app(self._request)
        self._step(self._request)
        self._go_on()

    def _step(self, request: Request) -> None:
        """Runs the app up to where it waits for something."""
        assert self._work is not None
        try:
            awaited = self._work.send(None)
        except StopIteration as done:
            self._answered(request, done.value)
            return
        if awaited is None:  # it lets others go first
            self._loop.call_soon(self._wake)
            return
        awaited._asyncio_future_blocking = False  # as a task does: the future may have others who wait
        if isinstance(awaited, Pending):
            awaited.heard = self._wake
        else:
            awaited.add_done_callback(self._wake)

    def _wake(self, _: object = None) -> None:
        assert self._request is not None
        self._step(self._request)
        self._go_on()

    def _answered(self, request: Request, answer: Answer | None) -> None:
        self._request = self._work = None
        if answer is None or self.transport.is_closing():
            return
        last = answer.last or not request.keep_alive or self._service.closing or (self._ended and not self._waiting)
        if answer is _CROWDED and not last:
            self.transport.write(_CROWDED_BYTES)
        else:
            self.transport.write(written(answer, last=last, body=request.method != "HEAD"))
        if last:
            self._ended = True
            self._waiting.clear()
            self.transport.close()
        elif self.receiving_since is None and not self._waiting:
            self.idle_since = self._loop.time()

    # ---------------------------------------------------------------------------------------------------- its end

    def end(self, refusal: Refusal) -> None:
        """Takes nothing more; says why when those before have their answers, and closes."""
        if self._ended or self.transport.is_closing():
            return
        self._ended = True
        if self._coming is not None:
            self._coming.keep_alive = False
            self._settle(self._coming, refusal)
        else:
            words = refusal_answer(refusal)._replace(last=True)
            self._waiting.append(Request("", "", {}, time.perf_counter(), answer=words))
        self._go_on()

    def shut(self) -> None:
        """Closes it now, or with the answer to what it has begun to ask."""
        if not self._busy and self._coming is None:
            self.transport.close()
