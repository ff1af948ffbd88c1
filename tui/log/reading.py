"""Pieces of a log from the daemon, with the place they begin at. Called in threads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.log.piece import BYTES, Chunk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tui.client import Client


@dataclass(frozen=True)
class Place:
    """Which log."""

    run: int
    stream: str = "stdout"
    attempt: int | None = None
    """None: the last."""

    @property
    def command(self) -> str:
        """The shell command that prints it."""
        flags = f" --attempt {self.attempt}" if self.attempt is not None else ""
        return f"trainshed runs logs {self.run}{flags}" + (" --stderr" if self.stream == "stderr" else "")


def read(daemon: Client, place: Place, offset: int, limit: int = BYTES) -> Chunk:
    """From byte `offset`, or from the oldest that is left; negative: from the end."""
    found = daemon.log(place.run, place.stream, offset=offset, attempt=place.attempt, limit=limit)
    start = min(max(found.dropped, found.size + offset if offset < 0 else offset), found.size)
    return Chunk(found.text, start, found.offset, found.size, found.dropped)


def pieces(daemon: Client, place: Place, offset: int) -> Iterator[str]:
    """The text from a byte on to the present end."""
    while True:
        chunk = read(daemon, place, offset)
        if not chunk.text:
            return
        yield chunk.text
        offset = chunk.end
