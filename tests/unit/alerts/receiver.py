"""A real receiver of webhooks on loopback: it keeps what it is sent, and answers as a test tells it to."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.webserver import Reply


@dataclass(frozen=True)
class Got:
    method: str
    path: str
    headers: dict[str, str]
    """Names in lower case."""
    body: Any
    """As JSON; None without one."""


@dataclass
class Receiver:
    url: str
    answer: Callable[[Got], Reply] = lambda _: Reply(b"taken")
    got: list[Got] = field(default_factory=list)

    @property
    def alerts(self) -> list[tuple[str, list[str]]]:
        """What each message told: title of the alert and words."""
        return [(entry["title"], entry["told"]) for got in self.got for entry in got.body["alerts"]]


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self._take()

        def do_GET(self) -> None:
            self._take()

        def _take(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            headers = {name.lower(): value for name, value in self.headers.items()}
            got = Got(self.command, self.path, headers, json.loads(body) if body else None)
            receiver.got.append(got)
            reply = receiver.answer(got)
            self.send_response(reply.status)
            for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # who has enough hangs up
                self.wfile.write(reply.body)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver = Receiver(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
