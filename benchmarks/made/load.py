"""Load on a server: connections that ask one request after another. `start` runs it as a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import uvloop


def start(port: int, connections: int, sent: bytes, seconds: float) -> subprocess.Popen[bytes]:
    """Prints one JSON object at its end: `times` of the requests in seconds, how many `failed`, and how often a
    connection was answered by an epoch before the last one (`backwards`).
    """
    command = [sys.executable, "-P", str(Path(__file__)), str(port), str(connections), str(seconds)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(sent)
    process.stdin.close()
    process.stdin = None
    return process


class Load:
    def __init__(self, port: int, message: bytes, until: float) -> None:
        self._port, self._message, self._until = port, message, until
        self.times: list[float] = []
        self.failed = self.backwards = 0

    async def connection(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        epoch = 0
        while time.perf_counter() < self._until:
            began = time.perf_counter()
            writer.write(self._message)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            await reader.readexactly(_number(head, b"content-length: "))
            self.times.append(time.perf_counter() - began)
            self.failed += not head.startswith(b"http/1.1 200")
            if b"x-routing-epoch: " in head:
                now = _number(head, b"x-routing-epoch: ")
                self.backwards += now < epoch
                epoch = now
        writer.close()


def _number(head: bytes, name: bytes) -> int:
    return int(head.partition(name)[2].partition(b"\r\n")[0])


async def _run(port: int, connections: int, seconds: float) -> None:
    load = Load(port, sys.stdin.buffer.read(), time.perf_counter() + seconds)
    await asyncio.gather(*(load.connection() for _ in range(connections)))
    os.set_blocking(1, True)
    print(json.dumps({"times": load.times, "failed": load.failed, "backwards": load.backwards}))


if __name__ == "__main__":
    uvloop.run(_run(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
