"""Heads of HTTP/1.1 messages as bytes. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import unquote

import httptools

from pipeline.serving.request import Answer

_STATUS: Final = {one.value: f"HTTP/1.1 {one.value} {one.phrase}\r\n".encode() for one in HTTPStatus}
_CLOSE: Final = b"connection: close\r\n"


def path_of(url: bytes) -> str:
    """Raises for what is none, and the parser makes a bad request of it."""
    if not url.startswith(b"/"):
        url = httptools.parse_url(url).path
    path = url.partition(b"?")[0].decode("ascii")
    return unquote(path) if "%" in path else path


def without_offer(method: bytes, url: bytes, version: str, headers: Mapping[bytes, bytes]) -> bytes:
    """A request's head without its offer to speak something else, which may be passed over (RFC 9110, 7.8)."""
    lines = [b"%b: %b\r\n" % (name, value) for name, value in headers.items() if name != b"upgrade"]
    return b"%b %b HTTP/%b\r\n%b\r\n" % (method, url, version.encode(), b"".join(lines))


def written(answer: Answer, *, last: bool, body: bool) -> bytes:
    """An answer's message. `last`: the connection ends with it."""
    head = b"%bcontent-type: %b\r\ncontent-length: %d\r\n" % (_STATUS[answer.status], answer.kind, len(answer.body))
    for name, value in answer.more:
        head += b"%b: %b\r\n" % (name, value)
    return b"%b%b\r\n%b" % (head, _CLOSE if last else b"", answer.body if body else b"")
