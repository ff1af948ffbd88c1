"""Ways to the supervisor's socket: a worker's, which brings its listening socket, and that of the daemon, which asks.

The first line says who comes, with descriptors beside it.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from pipeline.serving.channel import LONGEST, Channel
from store.errors import NotServable, NotServed
from store.sockets import short_path

_HELLO: Final = 65_536
_MOST_DESCRIPTORS: Final = 4


def bind_control(path: Path) -> socket.socket:
    """The supervisor's socket, for its user only. It replaces an old one, which only the lock's holder may do."""
    path.unlink(missing_ok=True)
    control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    former = os.umask(0o177)
    try:
        with short_path(path) as address:
            control.bind(address)
    finally:
        os.umask(former)
    control.listen(64)
    control.setblocking(False)
    return control


def dial(path: Path, hello: Mapping[str, Any], descriptors: Sequence[int] = ()) -> socket.socket:
    """A connection on which the supervisor knows who it is. Raises OSError."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with short_path(path) as address:
            connection.connect(address)
        socket.send_fds(connection, [json.dumps(hello).encode() + b"\n"], list(descriptors))
        return connection
    except OSError:
        connection.close()
        raise


async def channel_of(connection: socket.socket) -> Channel:
    connection.setblocking(False)
    reader, writer = await asyncio.open_unix_connection(sock=connection, limit=LONGEST)
    return Channel(reader, writer)


async def greet(connection: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """The supervisor's side: who has come, and the descriptors that it brought. Raises OSError, ValueError."""
    loop = asyncio.get_running_loop()
    connection.setblocking(False)
    readable = asyncio.Event()
    loop.add_reader(connection, readable.set)
    try:
        await asyncio.wait_for(readable.wait(), 5)
    finally:
        loop.remove_reader(connection)
    # Exactly the first line: what stands behind it is for the channel.
    length = connection.recv(_HELLO, socket.MSG_PEEK).find(b"\n") + 1
    line, descriptors, _, _ = socket.recv_fds(connection, length, _MOST_DESCRIPTORS)
    try:
        hello: dict[str, Any] = json.loads(line)
        return hello, descriptors
    except ValueError:
        for descriptor in descriptors:
            os.close(descriptor)
        raise


def ask(
    path: Path, what: str, seconds: float, tell: Callable[[str], None] = lambda _: None, **given: Any
) -> dict[str, Any]:
    """One question to the supervisor. Raises NotServed when nobody answers in time, NotServable when it refuses.

    `tell` hears of each phase on the way to the answer.
    """
    try:
        with dial(path, {"role": "client"}) as connection:
            connection.settimeout(seconds)
            connection.sendall(json.dumps({"ask": what, "n": 1, **given}).encode() + b"\n")
            with connection.makefile("rb") as lines:
                while "phase" in (said := json.loads(lines.readline())):
                    tell(said["phase"])
    except (OSError, ValueError) as error:
        raise NotServed(
            f"the serving process does not answer: {error}",
            where=str(path),
            remedy="`trainshed endpoints` shows its state, serving/serving.log in the home its last words",
        ) from None
    if "refused" in said:
        raise NotServable(str(said["refused"]), where=what, remedy="`trainshed endpoints` shows what answers now")
    answer: dict[str, Any] = said["answer"]
    return answer
