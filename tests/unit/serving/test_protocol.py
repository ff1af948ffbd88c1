"""HTTP over one connection: requests in pieces, in heaps and halves, and answers in their order."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.serving.inbox import Inbox
from pipeline.serving.listening import listening_socket
from pipeline.serving.pending import Pending
from pipeline.serving.protocol import MOST_HEAD, App, Connection
from pipeline.serving.refusal import Refusal
from pipeline.serving.request import Answer, ClientGone, Request
from pipeline.serving.server import KEEP_ALIVE_S, DataServer, watch
from tests.examples import examples

MOST = 10_000


async def echo(request: Request) -> Answer:
    """What was asked, after a turn of the loop if the path says so."""
    if isinstance(request.lost, Refusal):
        return Answer(request.lost.body(), request.lost.status)
    if request.path.startswith("/slow"):
        await asyncio.sleep(0)
    names = b",".join(sorted(request.headers))
    return Answer(b"|".join([request.method.encode(), request.path.encode(), names, request.body]))


class Site:
    """A server in this loop."""

    def __init__(self, app: App, inbox: Inbox | None = None, full: Callable[[str], bool] = lambda _: False) -> None:
        self.inbox = inbox or Inbox(MOST, 10 * MOST)
        self.server = DataServer(app, self.inbox, most_connections=100, patience_s=20.0, drain_s=2.0, full=full)
        self._listener = listening_socket("127.0.0.1", 0)
        self.port: int = self._listener.getsockname()[1]
        self._clients: list[asyncio.StreamWriter] = []
        self.served = asyncio.create_task(self.server.serve_sockets([self._listener]))

    @property
    def connections(self) -> set[Connection]:
        return self.server._service.connections

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self._clients.append(writer)
        return reader, writer

    async def end(self) -> None:
        self.server.drain()
        await self.served
        for writer in self._clients:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


def on_site(story: Callable[[Site], Coroutine[Any, Any, None]], app: App = echo, inbox: Inbox | None = None) -> None:
    async def told() -> None:
        site = Site(app, inbox)
        try:
            await story(site)
        finally:  # or a story that fails would never end
            await site.end()

    uvloop.run(told())


async def answer(reader: asyncio.StreamReader) -> tuple[int, bytes, bytes]:
    """(status, head, body) of the next one."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    return int(head.split(b" ")[1]), head, await reader.readexactly(length)


def test_pipelined_requests_are_answered_in_their_order_whether_they_wait_or_not() -> None:
    async def story(site: Site) -> None:
        reader, writer = await site.connect()
        paths = [b"/slow/%d" % n if n % 3 else b"/%d" % n for n in range(3000)]  # deeper than Python's stack
        writer.write(b"".join(b"GET %b HTTP/1.1\r\n\r\n" % path for path in paths))
        for path in paths:
            assert (await answer(reader))[2] == b"GET|%b||" % path

    on_site(story)


def test_of_a_connection_one_request_is_worked_on_at_a_time() -> None:
    inside: list[int] = []

    async def app(request: Request) -> Answer:
        inside.append(1)
        await asyncio.sleep(0.01)
        together = len(inside)
        inside.clear()
        return Answer(b"%d" % together)

    async def story(site: Site) -> None:
        reader, writer = await site.connect()
        writer.write(b"POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\nx" * 5)
        assert [(await answer(reader))[2] for _ in range(5)] == [b"1"] * 5

    on_site(story, app)


def test_an_answer_is_on_its_way_when_its_scores_are_without_another_turn_of_the_loop() -> None:
    async def story(site: Site) -> None:
        client = socket.create_connection(("127.0.0.1", site.port))
        client.sendall(b"POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\nx")
        while not waiting:
            await asyncio.sleep(0.001)
        waiting[0].settle(np.array([0.25], np.float32))
        client.settimeout(0)  # nobody else has had the loop since
        with client:
            assert client.recv(1000).endswith(b"\r\n\r\n[0.25]")

    waiting: list[Pending] = []

    async def app(_: Request) -> Answer:
        waiting.append(Pending())
        return Answer(b"%s" % str((await waiting[0]).tolist()).encode())

    on_site(story, app)


@pytest.mark.slow
@settings(max_examples=examples(60), deadline=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=12), st.booleans())
def test_a_request_is_whole_however_its_bytes_are_parted(cuts: list[int], chunked: bool) -> None:
    body = bytes(range(256))
    if chunked:
        framed = b"Transfer-Encoding: chunked\r\n\r\n" + b"%x\r\n%b\r\n" % (100, body[:100])
        framed += b"%x\r\n%b\r\n0\r\nTrailer: 1\r\n\r\n" % (156, body[100:])
    else:
        framed = b"Content-Length: 256\r\n\r\n" + body
    sent = b"POST /a%20b?c=d HTTP/1.1\r\nX-Long: " + b"y" * 100 + b"\r\n" + framed

    async def story(site: Site) -> None:
        reader, writer = await site.connect()
        (connection,) = await until_connected(site)
        place = 0
        for cut in cuts:
            connection.data_received(sent[place : place + cut])
            place += cut
        connection.data_received(sent[place:])
        name = b"transfer-encoding" if chunked else b"content-length"  # and no header that came behind the body
        assert (await answer(reader))[2] == b"POST|/a b|%b,x-long|%b" % (name, body)
        writer.close()

    on_site(story)


async def until_connected(site: Site, many: int = 1) -> set[Connection]:
    while len(site.connections) < many:
        await asyncio.sleep(0.001)
    return site.connections


def test_who_asks_whether_to_go_on_is_told_so_and_a_body_that_is_too_big_is_not_waited_for() -> None:
    async def story(site: Site) -> None:
        reader, writer = await site.connect()
        writer.write(b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"ok")
        assert (await answer(reader))[2].endswith(b"|ok")
        writer.write(b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 20000\r\n\r\n")
        assert (await answer(reader))[0] == 413
        writer.write(b"x" * 20_000)  # it is sent all the same, and thrown away
        writer.write(b"GET /next HTTP/1.1\r\n\r\n")
        assert (await answer(reader))[2] == b"GET|/next||"

    on_site(story)


def test_a_connection_lives_until_one_side_says_otherwise() -> None:
    async def story(site: Site) -> None:
        for head in (b"GET / HTTP/1.0\r\n\r\n", b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n"):
            reader, writer = await site.connect()
            writer.write(b"HEAD /first HTTP/1.1\r\n\r\n" + head + b"GET /never HTTP/1.1\r\n\r\n")
            said = await reader.read()  # to its end
            assert said.count(b"HTTP/1.1 200 OK") == 2
            assert said.count(b"connection: close") == 1
            assert b"HEAD|" not in said
            assert b"never" not in said

    on_site(story)


def test_a_client_of_http_1_0_is_told_the_end_though_it_would_stay() -> None:
    async def story(site: Site) -> None:
        reader, writer = await site.connect()
        writer.write(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        assert b"connection: close" in await reader.read()  # to its end

    on_site(story)


def test_who_would_wait_for_what_has_no_room_hears_so_at_once_and_nobody_else_does() -> None:
    async def told() -> None:
        site = Site(echo, full=lambda path: path == "/full")
        clients = [await site.connect() for _ in range(60)]
        for place, one in enumerate(await until_connected(site, 60)):
            path = b"/full" if place % 2 else b"/other"
            one.data_received(b"POST %b HTTP/1.1\r\nContent-Length: 0\r\n\r\n" % path)
        answers = [await answer(reader) for reader, _ in clients]
        refused = [head for status, head, _ in answers if status == 503]
        assert 5 <= len(refused) <= 25, "some of the half that asked for it: the first ones did not have to wait"
        assert all(b"retry-after" in head and b"connection: close" not in head for head in refused)
        assert sum(body.startswith(b"POST|/other|") for _, _, body in answers) == 30
        for (reader, writer), (status, _, _) in zip(clients, answers, strict=True):
            if status == 503:  # and it may ask again on its connection
                writer.write(b"POST /other HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
                assert (await answer(reader))[0] == 200
        await site.end()

    uvloop.run(told())


@pytest.mark.parametrize("method", [b"GET", b"CONNECT"])
def test_what_a_connection_is_upgraded_to_is_not_spoken_here(method: bytes) -> None:
    async def story(site: Site) -> None:
        reader, writer = await site.connect()
        writer.write(method + b" / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n\x81\x05hello")
        said = await reader.read()
        assert said.startswith(b"HTTP/1.1 200")
        assert b"connection: close" in said

    on_site(story)


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("size", [1, 7, 90, 1000])
def test_an_offer_to_upgrade_is_passed_over_and_the_body_behind_it_is_read(size: int, chunked: bool) -> None:
    """Java's client makes one with the first request of a connection, unless it is told not to."""
    framing = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: 5"
    body = b"5\r\nhello\r\n0\r\n\r\n" if chunked else b"hello"
    head = b"POST /slow HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAM\r\n"
    sent = (head + framing + b"\r\n\r\n" + body) * 2 + b"GET /next HTTP/1.1\r\n\r\n"

    async def story(site: Site) -> None:
        reader, writer = await site.connect()
        (connection,) = await until_connected(site)
        for place in range(0, len(sent), size):
            connection.data_received(sent[place : place + size])
        names = b",".join(sorted([b"connection", b"http2-settings", framing.partition(b":")[0].lower()]))
        async with asyncio.timeout(10):
            for _ in range(2):
                assert (await answer(reader))[2] == b"POST|/slow|%b|hello" % names
            assert (await answer(reader))[2] == b"GET|/next||"
        writer.close()

    on_site(story)


def test_what_was_asked_before_nonsense_is_answered_first() -> None:
    async def story(site: Site) -> None:
        reader, writer = await site.connect()
        writer.write(b"GET /slow HTTP/1.1\r\n\r\nnonsense\r\n\r\n")
        assert (await answer(reader))[2] == b"GET|/slow||"
        assert (await answer(reader))[0] == 400
        assert await reader.read() == b""

    on_site(story)


def test_bodies_that_are_received_have_room_together_and_leave_it_however_they_end() -> None:
    async def story(site: Site) -> None:
        half = b"POST / HTTP/1.1\r\nContent-Length: 9000\r\n\r\n" + b"x" * 2000
        first, second, third = [await site.connect() for _ in range(3)]
        for _, writer in (first, second):
            writer.write(half)
            await writer.drain()
            await asyncio.sleep(0.01)
            writer.write(b"x" * 4000)
            await asyncio.sleep(0.01)
        assert (await answer(second[0]))[0] == 503  # beyond 8,000 of all together
        assert site.inbox.held == 6000
        first[1].close()  # in the middle
        third[1].write(half + b"x" * 7000)
        assert (await answer(third[0]))[0] == 200
        await asyncio.sleep(0.01)
        assert site.inbox.held == 0

    on_site(story, inbox=Inbox(MOST, 8000))


def test_the_app_hears_of_a_client_that_went_in_the_middle_of_its_body_and_answers_nobody() -> None:
    lost: list[object] = []

    async def app(request: Request) -> Answer | None:
        lost.append(request.lost)
        return None if request.lost else Answer(b"")

    async def story(site: Site) -> None:
        _, writer = await site.connect()
        writer.write(b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nxx")
        await until_connected(site)
        await asyncio.sleep(0.01)
        writer.close()
        while site.server.connections:
            await asyncio.sleep(0.001)

    on_site(story, app)
    assert [type(one) for one in lost] == [ClientGone]


def test_several_may_wait_for_the_same_thing_and_a_client_that_went_meanwhile_disturbs_nobody() -> None:
    gate: list[asyncio.Future[bytes]] = []

    async def app(request: Request) -> Answer:
        return Answer(await gate[0])

    async def story(site: Site) -> None:
        gate.append(asyncio.get_running_loop().create_future())
        clients = [await site.connect() for _ in range(3)]
        for _, writer in clients:
            writer.write(b"GET / HTTP/1.1\r\n\r\n")
        await asyncio.sleep(0.02)
        clients[0][1].close()
        await asyncio.sleep(0.02)
        gate[0].set_result(b"now")
        for reader, _ in clients[1:]:
            assert (await answer(reader))[2] == b"now"

    on_site(story, app)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["drain", "retire"])
def test_who_has_asked_before_the_end_is_answered_and_hears_that_it_is_the_end(how: str) -> None:
    async def app(request: Request) -> Answer:
        await asyncio.sleep(0.3)
        return Answer(b"done")

    async def story(site: Site) -> None:
        reader, writer = await site.connect()
        idle, _ = await site.connect()
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        await until_connected(site, 2)
        await asyncio.sleep(0.02)
        getattr(site.server, how)()
        _, head, body = await answer(reader)
        assert (b"connection: close" in head, body) == (True, b"done")
        assert await reader.read() == await idle.read() == b""
        with pytest.raises(OSError, match=r"refused|reset"):
            await site.connect()

    on_site(story, app)


def test_a_connection_on_which_nothing_is_asked_is_closed_after_a_while() -> None:
    async def story(site: Site) -> None:
        reader, writer = await site.connect()
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        await answer(reader)
        now = asyncio.get_running_loop().time()
        watch(site.connections, now + KEEP_ALIVE_S - 1, 20.0)
        assert site.server.connections == 1
        watch(site.connections, now + KEEP_ALIVE_S + 1, 20.0)
        assert await reader.read() == b""

    on_site(story)


def test_a_client_that_reads_nothing_is_not_answered_any_further() -> None:
    asked = 0

    async def app(request: Request) -> Answer:
        nonlocal asked
        asked += 1
        return Answer(b"x" * 1_000_000)

    async def story(site: Site) -> None:
        _, writer = await site.connect()
        writer.write(b"GET / HTTP/1.1\r\n\r\n" * 200)
        await asyncio.sleep(0.3)
        assert 0 < asked < 50  # what the system takes, and no more
        writer.transport.abort()

    on_site(story, app)


def test_a_head_that_does_not_end_is_ended() -> None:
    async def story(site: Site) -> None:
        reader, writer = await site.connect()
        writer.write(b"GET / HTTP/1.1\r\nX: " + b"a" * (2 * MOST_HEAD))
        assert (await answer(reader))[0] == 431

    on_site(story)
