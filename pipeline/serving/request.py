"""A request as it came over HTTP, and its answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from pipeline.serving.refusal import Refusal

JSON: Final = b"application/json"


class ClientGone(Exception):
    """Nobody waits for the answer any more."""


class Answer(NamedTuple):
    body: bytes
    status: int = 200
    kind: bytes = JSON
    more: Sequence[tuple[bytes, bytes]] = ()
    """Further headers, none of which may hold what a client sent."""
    last: bool = False
    """The connection ends with it."""


@dataclass(slots=True)
class Request:
    """Of one connection, or of somebody who has no connection."""

    method: str
    path: str
    headers: Mapping[bytes, bytes]
    """Names in lower case."""
    began: float
    """When its head was there, on the clock of `time.perf_counter`."""
    body: bytes = b""
    """As it was sent: it may be compressed."""
    lost: Refusal | ClientGone | None = None
    """Why its body is not here."""
    answer: Answer | None = None
    """What its head alone is answered with."""
    keep_alive: bool = True


def refusal_answer(refusal: Refusal) -> Answer:
    more: tuple[tuple[bytes, bytes], ...] = ()
    if refusal.retry_after is not None:
        more = ((b"retry-after", b"%d" % refusal.retry_after),)
    return Answer(refusal.body(), refusal.status, more=more)
