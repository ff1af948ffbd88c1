"""Bodies of requests as they come in: each within its limit, and all together within one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from pipeline.serving.bodies import unpacked
from pipeline.serving.refusal import TOO_BIG, Refusal, busy, malformed

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]


class ClientGone(Exception):
    """Nobody waits for the answer any more."""


class Inbox:
    def __init__(self, most_body: int, most_together: int) -> None:
        """Bytes of one body, and of all that are being received at one moment."""
        self._most_body = most_body
        self._most_together = most_together
        self._held = 0

    async def body(self, headers: Mapping[bytes, bytes], receive: Receive) -> bytes:
        """The whole body, unpacked. Raises Refusal, ClientGone."""
        declared = headers.get(b"content-length")
        if declared is not None and (not declared.isdigit() or int(declared) > self._most_body):
            raise self._too_big()
        first = await receive()
        if first["type"] == "http.disconnect":
            raise ClientGone
        body: bytes = first["body"] if not first["more_body"] else await self._rest(first["body"], receive)
        if len(body) > self._most_body:
            raise self._too_big()
        encoding = headers.get(b"content-encoding")
        return body if encoding is None else unpacked(body, encoding.decode("latin-1"), self._most_body)

    async def _rest(self, first: bytes, receive: Receive) -> bytes:
        pieces, size = [first], len(first)
        self._held += size
        try:
            while True:
                if size > self._most_body:
                    raise self._too_big()
                if self._held > self._most_together:
                    raise busy("too many bytes are being received at this moment")
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientGone
                pieces.append(message["body"])
                size += len(pieces[-1])
                self._held += len(pieces[-1])
                if not message["more_body"]:
                    return b"".join(pieces)
        finally:
            self._held -= size

    def _too_big(self) -> Refusal:
        return Refusal(TOO_BIG, f"a request's body has at most {self._most_body} bytes; send fewer rows at once")


def json_length(headers: Mapping[bytes, bytes]) -> int | None:
    """Of `Inference-Header-Content-Length`. Raises Refusal."""
    value = headers.get(b"inference-header-content-length")
    if value is None:
        return None
    if not value.isdigit():
        raise malformed("Inference-Header-Content-Length is not a number")
    return int(value)
