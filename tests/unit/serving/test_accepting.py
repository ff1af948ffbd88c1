"""Who stands before the door is taken in within a few turns of the loop, however long these are."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest
import uvloop

from pipeline.serving.accepting import MOST, Accepting
from pipeline.serving.listening import listening_socket

CLIENTS = 300


class Told(asyncio.Protocol):
    """Counts in `made` who has come."""

    def __init__(self, made: list[Told]) -> None:
        self._made = made
        self.transport: asyncio.BaseTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self._made.append(self)


@pytest.fixture
def clients() -> Iterator[tuple[socket.socket, list[socket.socket]]]:
    """(a socket on which they stand before the door, they)"""
    with ExitStack() as open_sockets:
        listener = open_sockets.enter_context(listening_socket("127.0.0.1", 0))
        there = [open_sockets.enter_context(socket.create_connection(listener.getsockname())) for _ in range(CLIENTS)]
        yield listener, there


def test_hundreds_who_stand_before_the_door_are_taken_in_within_a_few_turns(
    clients: tuple[socket.socket, list[socket.socket]],
) -> None:
    listener, _ = clients

    async def story() -> int:
        made: list[Told] = []
        door, turns = Accepting(lambda: Told(made), None), 0
        await door.begin(listener.dup())
        while len(made) < CLIENTS and turns < CLIENTS:
            time.sleep(0.001)  # all turns are long: others are being answered
            await asyncio.sleep(0)
            turns += 1
        door.end()
        for one in made:
            one.transport.close()
        await asyncio.sleep(0.01)
        return turns

    turns = uvloop.run(story())
    assert turns <= 3 * (CLIENTS // MOST + 1), "libuv alone takes one in a turn"


def test_who_comes_once_it_has_ended_is_not_taken_in(clients: tuple[socket.socket, list[socket.socket]]) -> None:
    listener, _ = clients

    async def story() -> int:
        made: list[Told] = []
        door = Accepting(lambda: Told(made), None)
        await door.begin(listener.dup())
        door.end()
        await asyncio.sleep(0.05)
        return len(made)

    assert uvloop.run(story()) == 0


def test_who_speaks_no_tls_is_let_go_and_disturbs_nobody(
    clients: tuple[socket.socket, list[socket.socket]],
) -> None:
    listener, there = clients
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)

    async def story() -> int:
        made: list[Told] = []
        loop = asyncio.get_running_loop()
        faults: list[object] = []
        loop.set_exception_handler(lambda _, context: faults.append(context))
        door = Accepting(lambda: Told(made), tls)
        await door.begin(listener.dup())
        for one in there:
            one.sendall(b"GET / HTTP/1.1\r\n\r\n")
        await asyncio.sleep(0.3)
        door.end()
        assert faults == []
        return len(made)

    assert uvloop.run(story()) == 0
    for one in there:
        one.settimeout(5)
        with suppress(ConnectionResetError):
            while one.recv(100):
                pass
