"""Load by a client that is light enough to ask for three times what a server can answer: sockets, one epoll, and bytes
that are ready. `start` runs it as a process of its own.

An open loop does not wait for its answers: gaps between requests are exponential, seeded. A request goes out on a
connection that waits for nothing; there are as many as are needed, up to a limit, beyond which it is `unsent`. A closed
loop has a fixed number of connections, each of which asks again once it has its answer.

A time is from the moment before a request is written to that at which the kernel had its answer here (SO_TIMESTAMPNS):
what the server is answerable for. By how much later this client read it is `read_late_s`, and `late_s` by how much
later than it was due a request was written: the client's own lateness, which would otherwise pass for the server's.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import select
import socket
import struct
import subprocess
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any, Final

CONNECTIONS: Final = 1500
"""At most; below what a process takes (`connections` of [serving])."""
LINGER_S: Final = 3.0
"""So long the last answers are waited for."""
_NAP_S: Final = 0.0002
_SO_TIMESTAMPNS: Final = getattr(socket, "SO_TIMESTAMPNS", 35)
_STAMP: Final = struct.Struct("qq")
_READ: Final = 1 << 18


def start(
    port: int,
    rate: float,
    sent: bytes,
    seconds: float,
    *,
    connections: int = 0,
    core: int | None = None,
) -> subprocess.Popen[bytes]:
    """`connections`: a closed loop of so many, whatever the `rate`. `core`: the one that it keeps to.

    Prints one JSON object at its end: `times` (status → seconds of each), `asked_at` (status → when each was
    asked, in seconds since the begin), `first_times` (of those that were the first of their connection, which had to be
    taken in as well), `without_retry_after` (of the refused), `unsent`, `unanswered`, `connections`, `broken`, `late_s`
    and `read_late_s`.
    """
    command = [sys.executable, "-P", str(Path(__file__)), str(port), str(rate), str(seconds), str(connections)]
    process = subprocess.Popen(
        command if core is None else [*command, "--core", str(core)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None
    process.stdin.write(sent)
    process.stdin.close()
    process.stdin = None
    return process


class Connection:
    def __init__(self, port: int) -> None:
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)  # a request is one write
        self.socket.connect(("127.0.0.1", port))
        self.socket.setblocking(False)
        self.heard = b""
        self.asked_ns = 0
        """0: nothing is waited for."""
        self.is_new = True

    def read(self) -> tuple[bytes, bytes, int] | None:
        """(head in lower case, body, when it was here) of a whole answer. Raises OSError when it was closed."""
        data, more, _, _ = self.socket.recvmsg(_READ, 64)
        if not data:
            raise ConnectionResetError
        self.heard += data
        head, found, body = self.heard.partition(b"\r\n\r\n")
        head = head.lower()
        if not found or len(body) < int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0]):
            return None
        self.heard = b""
        if not more:  # the kernel begins to stamp a moment after it was asked to
            return head, body, time.time_ns()
        seconds, nanoseconds = _STAMP.unpack(more[0][2])
        return head, body, seconds * 1_000_000_000 + nanoseconds


class Client:
    def __init__(self, port: int, message: bytes) -> None:
        self.port, self.message = port, message
        self.began_ns = time.time_ns()
        self.poll = select.epoll()
        self.known: dict[int, Connection] = {}
        self.idle: list[Connection] = []
        self.times: defaultdict[int, list[float]] = defaultdict(list)
        self.asked_at: defaultdict[int, list[float]] = defaultdict(list)
        self.first_times: defaultdict[int, list[float]] = defaultdict(list)
        self.count: Counter[str] = Counter()
        self.late: list[float] = []
        self.read_late: list[float] = []

    def flood(self, rate: float, seconds: float) -> None:
        draw = random.Random(1)
        began = due = time.perf_counter()
        while (now := time.perf_counter()) < began + seconds:
            if due > now:
                if not self.hear() and due - now > _NAP_S:
                    time.sleep(_NAP_S)
                continue
            self.ask_somebody(now - due)
            due += draw.expovariate(rate)
            if len(self.late) % 8 == 0:  # it cannot keep up: it reads all the same
                self.hear()
        self.linger()

    def closed(self, connections: int, seconds: float) -> None:
        for _ in range(connections):
            self.ask(self.open())
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            if not self.hear():
                time.sleep(0)
            while self.idle:
                self.ask(self.idle.pop())
        self.linger()

    def linger(self) -> None:
        deadline = time.perf_counter() + LINGER_S
        while self.count["under way"] and time.perf_counter() < deadline:
            if not self.hear():
                time.sleep(_NAP_S)

    def ask_somebody(self, late: float) -> None:
        if not self.idle and len(self.known) >= CONNECTIONS:
            self.count["unsent"] += 1
            return
        self.late.append(late)
        self.ask(self.idle.pop() if self.idle else self.open())

    def open(self) -> Connection:
        made = Connection(self.port)
        self.known[made.socket.fileno()] = made
        self.count["connections"] += 1
        self.poll.register(made.socket.fileno(), select.EPOLLIN)
        return made

    def ask(self, connection: Connection) -> None:
        connection.asked_ns = time.time_ns()
        self.count["under way"] += 1
        sent = connection.socket.send(self.message)
        assert sent == len(self.message)

    def hear(self) -> bool:
        events = self.poll.poll(0, 64)
        for descriptor, _ in events:
            connection = self.known[descriptor]
            try:
                found = connection.read()
            except OSError:
                self.lose(connection)
                continue
            if found is not None:
                self.answered(connection, *found)
        return bool(events)

    def answered(self, connection: Connection, head: bytes, body: bytes, there_ns: int) -> None:
        status = int(head[9:12])
        took_s = (there_ns - connection.asked_ns) / 1e9
        self.times[status].append(took_s)
        self.asked_at[status].append((connection.asked_ns - self.began_ns) / 1e9)
        if connection.is_new:
            self.first_times[status].append(took_s)
            connection.is_new = False
        self.read_late.append((time.time_ns() - there_ns) / 1e9)
        self.count["without_retry_after"] += status in (429, 503) and b"retry-after" not in head
        self.count["under way"] -= 1
        connection.asked_ns = 0
        if b"connection: close" not in head:
            self.idle.append(connection)

    def lose(self, connection: Connection) -> None:
        del self.known[connection.socket.fileno()]
        connection.socket.close()
        if connection in self.idle:
            self.idle.remove(connection)
        if connection.asked_ns:
            self.count["under way"] -= 1
            self.count["broken"] += 1


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("rate", type=float)
    parser.add_argument("seconds", type=float)
    parser.add_argument("connections", type=int)
    parser.add_argument("--core", type=int)
    given = parser.parse_args()
    if given.core is not None:
        os.sched_setaffinity(0, {given.core})
    gc.disable()
    client = Client(given.port, sys.stdin.buffer.read())
    if given.connections:
        client.closed(given.connections, given.seconds)
    else:
        client.flood(given.rate, given.seconds)
    count: dict[str, Any] = {name: client.count[name] for name in ("unsent", "broken", "connections")}
    count["without_retry_after"], count["unanswered"] = client.count["without_retry_after"], client.count["under way"]
    found = {"times": client.times, "asked_at": client.asked_at, "first_times": client.first_times}
    print(json.dumps({**found, "late_s": client.late, "read_late_s": client.read_late, **count}))


if __name__ == "__main__":
    main()
