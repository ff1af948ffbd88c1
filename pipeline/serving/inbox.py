"""Bodies of requests as they come in: each within its limit, and all together within one."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.serving.bodies import unpacked
from pipeline.serving.refusal import TOO_BIG, Refusal, busy, malformed
from pipeline.serving.request import Request


class Inbox:
    """One worker's; belongs to the thread of its event loop."""

    def __init__(self, most_body: int, most_together: int) -> None:
        """Bytes of one body, and of all that are being received at one moment."""
        self.most_body = most_body
        self.most_together = most_together
        self.held = 0

    def look_at(self, headers: Mapping[bytes, bytes]) -> None:
        """Raises Refusal for a body that says by itself that it is too big."""
        declared = headers.get(b"content-length")
        if declared is not None and (not declared.isdigit() or int(declared) > self.most_body):
            raise self.too_big()

    def content(self, request: Request) -> bytes:
        """The whole body, unpacked. Raises Refusal, ClientGone."""
        if request.lost is not None:
            raise request.lost
        if len(request.body) > self.most_body:
            raise self.too_big()
        encoding = request.headers.get(b"content-encoding")
        return request.body if encoding is None else unpacked(request.body, encoding.decode("latin-1"), self.most_body)

    def too_big(self) -> Refusal:
        return Refusal(TOO_BIG, f"a request's body has at most {self.most_body} bytes; send fewer rows at once")


class Incoming:
    """The body that is on its way over a connection, one after another. What comes in one piece is nobody's concern;
    further pieces count for all together."""

    __slots__ = ("_held", "_inbox", "_pieces", "_size")

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._pieces: list[bytes] = []
        self._size = self._held = 0

    def add(self, piece: bytes) -> None:
        """Raises Refusal; then it is to be let go of."""
        inbox = self._inbox
        self._size += len(piece)
        if self._size > inbox.most_body:
            raise inbox.too_big()
        self._pieces.append(piece)
        if len(self._pieces) > 1:
            inbox.held += self._size - self._held
            self._held = self._size
            if inbox.held > inbox.most_together:
                raise busy("too many bytes are being received at this moment")

    def whole(self) -> bytes:
        pieces = self._pieces
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def let_go(self) -> None:
        """Of it and its room, whether it was received or not: the next one may come."""
        self._inbox.held -= self._held
        self._size = self._held = 0
        self._pieces = []


def json_length(headers: Mapping[bytes, bytes]) -> int | None:
    """Of `Inference-Header-Content-Length`. Raises Refusal."""
    value = headers.get(b"inference-header-content-length")
    if value is None:
        return None
    if not value.isdigit():
        raise malformed("Inference-Header-Content-Length is not a number")
    return int(value)
