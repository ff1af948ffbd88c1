"""Finding a text in the log of an attempt, a part at a time, forwards and backwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from daemon.logs import read_bytes
from store.patience import Stopped
from store.wire import LogHits

PART: Final = 1_000_000
"""Bytes that are looked through at once."""
BUDGET: Final = 64 * PART
"""Bytes that one question looks through."""


def search_log(
    log: Path,
    text: str,
    offset: int,
    *,
    backwards: bool = False,
    limit: int = 1,
    stop: Callable[[], bool] = lambda: False,
    budget: int = BUDGET,
) -> LogHits:
    """The first `limit` places of `text` at or after `offset`; backwards, of those that begin before it.

    A text without capitals matches either case (of ASCII letters). Raises Stopped once `stop()` says so.
    """
    plain = text == text.lower()
    needle = text.encode().lower() if plain else text.encode()
    hits: list[int] = []
    searched = 0
    for start, data in _parts(log, offset, len(needle) - 1, backwards):
        if stop():
            raise Stopped
        found = _places(data.lower() if plain else data, needle)
        for place in reversed(found) if backwards else found:
            if backwards and start + place >= offset:
                continue
            hits.append(start + place)
            if len(hits) == limit:
                return LogHits(hits=hits, next=hits[-1] if backwards else hits[-1] + 1)
        searched += len(data)
        if searched >= budget:
            return LogHits(hits=hits, next=start if backwards else start + len(data) - len(needle) + 1)
    return LogHits(hits=hits, next=None)


def _parts(log: Path, offset: int, overlap: int, backwards: bool) -> Iterator[tuple[int, bytes]]:
    """Pieces with their offsets; neighbours overlap, so that a text on the seam is found, and only once."""
    if not backwards:
        while True:
            start, data, size = read_bytes(log, offset, PART)
            yield start, data
            if not data or start + len(data) >= size:
                return
            offset = start + max(len(data) - overlap, 1)
    end = offset
    while end > 0:
        begin = max(0, end - PART)
        start, data, _ = read_bytes(log, begin, end - begin + overlap)
        yield start, data[: end - start + overlap] if start < end else b""
        if start > begin or begin == 0:
            return
        end = begin


def _places(data: bytes, needle: bytes) -> list[int]:
    places, place = [], data.find(needle)
    while place >= 0:
        places.append(place)
        place = data.find(needle, place + 1)
    return places
