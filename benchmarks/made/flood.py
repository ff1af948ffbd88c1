"""Load that does not wait for its answers: requests at a fixed rate, whatever becomes of them. `start` runs it as a
process of its own.

Gaps between requests are exponential, seeded. A request goes out on a connection that waits for nothing; there are as
many as are needed, up to a limit, beyond which it is `unsent`. Times are from the moment a request is written.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import random
import subprocess
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any, cast

import uvloop

TICK_S = 0.001
CONNECTIONS = 1500
"""At most; below what a process takes (`connections` of [serving])."""
LINGER_S = 3.0
"""So long the last answers are waited for."""


def start(port: int, rate: float, sent: bytes, seconds: float) -> subprocess.Popen[bytes]:
    """Prints one JSON object at its end: `times` (status → seconds of each), `first_times` (those of them that were the
    first of their connection, which had to be taken in as well), `without_retry_after` (of the refused),
    `unsent`, `unanswered`, `connections`, `broken`, and `late_s`: how late each request was written.
    """
    command = [sys.executable, "-P", str(Path(__file__)), str(port), str(rate), str(seconds)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(sent)
    process.stdin.close()
    process.stdin = None
    return process


class Flood:
    def __init__(self, port: int, message: bytes) -> None:
        self.port, self.message = port, message
        self.idle: list[Connection] = []
        self.times: defaultdict[int, list[float]] = defaultdict(list)
        self.first_times: defaultdict[int, list[float]] = defaultdict(list)
        self.count: Counter[str] = Counter()
        self.late: list[float] = []
        self.opening: set[asyncio.Task[None]] = set()

    async def run(self, rate: float, seconds: float) -> None:
        draw, began = random.Random(1), time.perf_counter()
        due = began
        while due < began + seconds:
            await asyncio.sleep(TICK_S)
            now = time.perf_counter()
            while due <= now:
                self.ask(now - due)
                due += draw.expovariate(rate)
        deadline = time.perf_counter() + LINGER_S
        while self.count["under way"] and time.perf_counter() < deadline:
            await asyncio.sleep(0.01)

    def ask(self, late: float) -> None:
        if self.idle:
            self.late.append(late)
            self.idle.pop().ask()
        elif self.count["connections"] < CONNECTIONS:
            self.late.append(late)
            self.count["connections"] += 1
            task = asyncio.get_running_loop().create_task(self.open())
            self.opening.add(task)
            task.add_done_callback(self.opening.discard)
        else:
            self.count["unsent"] += 1

    async def open(self) -> None:
        try:
            _, made = await asyncio.get_running_loop().create_connection(
                lambda: Connection(self), "127.0.0.1", self.port
            )
        except OSError:
            self.count["connections"] -= 1
            self.count["broken"] += 1
            return
        made.ask()


class Connection(asyncio.Protocol):
    def __init__(self, flood: Flood) -> None:
        self.flood = flood
        self.heard = b""
        self.asked_at: float | None = None
        self.is_new = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is none of asyncio's

    def ask(self) -> None:
        self.asked_at = time.perf_counter()
        self.flood.count["under way"] += 1
        self.transport.write(self.flood.message)

    def data_received(self, data: bytes) -> None:
        self.heard += data
        head, found, body = self.heard.partition(b"\r\n\r\n")
        head = head.lower()
        if not found or len(body) < int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0]):
            return
        assert self.asked_at is not None
        status = int(head[9:12])
        took = time.perf_counter() - self.asked_at
        self.flood.times[status].append(took)
        if self.is_new:
            self.flood.first_times[status].append(took)
            self.is_new = False
        self.flood.count["without_retry_after"] += status in (429, 503) and b"retry-after" not in head
        self.flood.count["under way"] -= 1
        self.heard, self.asked_at = b"", None
        if b"connection: close" not in head:
            self.flood.idle.append(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.flood.count["connections"] -= 1
        if self in self.flood.idle:
            self.flood.idle.remove(self)
        if self.asked_at is not None:
            self.flood.count["under way"] -= 1
            self.flood.count["broken"] += 1


async def _run(port: int, rate: float, seconds: float) -> None:
    gc.disable()
    flood = Flood(port, sys.stdin.buffer.read())
    await flood.run(rate, seconds)
    count: dict[str, Any] = {name: flood.count[name] for name in ("unsent", "broken", "connections")}
    count["without_retry_after"], count["unanswered"] = flood.count["without_retry_after"], flood.count["under way"]
    os.set_blocking(1, True)
    print(json.dumps({"times": flood.times, "first_times": flood.first_times, "late_s": flood.late, **count}))


if __name__ == "__main__":
    uvloop.run(_run(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])))
