"""A small real HTTP server on loopback, told by a test what to answer."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Asked:
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    """Names in lower case."""


@dataclass(frozen=True)
class Reply:
    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut_after: int | None = None
    """Close the connection after so many bytes of the body."""

    @classmethod
    def json(cls, value: Any, **headers: str) -> Reply:
        return cls(json.dumps(value).encode(), headers={k.replace("_", "-"): v for k, v in headers.items()})


Answerer = Callable[[Asked], Reply]


class Site:
    """What was asked, and who answers it."""

    def __init__(self, answer: Answerer) -> None:
        self.answer = answer
        self.asked: list[Asked] = []
        self.url = ""


@contextmanager
def serve(answer: Answerer) -> Iterator[Site]:
    """A site that answers until the block ends."""
    site = Site(answer)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
            asked = Asked(parts.path, query, {k.lower(): v for k, v in self.headers.items()})
            site.asked.append(asked)
            self._send(site.answer(asked))

        def _send(self, reply: Reply) -> None:
            self.send_response(reply.status)
            for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body if reply.cut_after is None else reply.body[: reply.cut_after])
            self.close_connection = self.close_connection or reply.cut_after is not None

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    site.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
