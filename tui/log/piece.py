"""The part of a log that is here: a few thousand lines around the view, whatever the size of the file. Pure."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import Final

from tui.log.plain import cells
from tui.table.column import Cell

BYTES: Final = 256_000
"""Asked for at once."""
KEPT: Final = 6_000
"""Lines that stay; beyond that the far end is let go."""
LONGEST: Final = 4_096
"""Characters of a line; what is longer goes on in the next."""


@dataclass(frozen=True)
class Chunk:
    """Text from byte `start` up to byte `end` of a log of `size` bytes, of which those before `first` are gone."""

    text: str
    start: int
    end: int
    size: int
    first: int


class Piece:
    def __init__(self) -> None:
        self.lines: list[tuple[Cell, ...]] = []
        self.starts: list[int] = []
        """Byte at which each line begins."""
        self.start = self.end = self.size = self.first = 0
        self._open = ""
        """The last line so far, if it has no end yet; it is in `lines` too."""

    @property
    def at_start(self) -> bool:
        return self.start <= self.first

    @property
    def at_end(self) -> bool:
        return self.end >= self.size

    def put(self, chunk: Chunk) -> None:
        """Another place in the log. A line that was cut in two at the front is left out."""
        self.lines, self.starts, self._open = [], [], ""
        skipped = 0
        text = chunk.text
        if chunk.start > chunk.first:
            cut = text.find("\n") + 1
            skipped, text = len(text[:cut].encode()), text[cut:]
        self.start = self.end = chunk.start + skipped
        self._know(chunk)
        self._append(text)
        self.end = chunk.end

    def append(self, chunk: Chunk) -> int:
        """What follows. Returns how many lines were let go in front."""
        self._know(chunk)
        if chunk.start != self.end:
            return 0
        self._append(chunk.text)
        self.end = chunk.end
        gone = max(0, len(self.lines) - KEPT)
        if gone:
            del self.lines[:gone], self.starts[:gone]
            self.start = self.starts[0]
        return gone

    def prepend(self, chunk: Chunk) -> int:
        """What comes before. Returns how many lines came."""
        self._know(chunk)
        if chunk.end != self.start:
            return 0
        before = Piece()
        before.put(chunk)
        if not before.lines:  # one line longer than the chunk: the rest of it is shown as it is
            before.put(Chunk(chunk.text, chunk.start, chunk.end, chunk.size, chunk.start))
        self.lines[:0], self.starts[:0] = before.lines, before.starts
        self.start = before.starts[0] if before.starts else chunk.start
        if len(self.lines) > KEPT:
            self.end = self.starts[KEPT]
            del self.lines[KEPT:], self.starts[KEPT:]
            self._open = ""
        return len(before.lines)

    def line_at(self, offset: int) -> int | None:
        """Number of the line in which a byte of the log stands, if it is here."""
        if not self.starts or not self.start <= offset < max(self.end, self.start + 1):
            return None
        return max(0, bisect_right(self.starts, offset) - 1)

    def _know(self, chunk: Chunk) -> None:
        self.size, self.first = max(chunk.size, chunk.end), chunk.first

    def _append(self, text: str) -> None:
        place = self.end
        if self._open:
            self.lines.pop()
            place = self.starts.pop()
            text = self._open + text
        parts = text.split("\n")
        self._open = parts.pop()
        for part in parts:
            place = self._line(part, place) + 1
        while len(self._open) > LONGEST:
            self._add(self._open[:LONGEST], place)
            place += len(self._open[:LONGEST].encode())
            self._open = self._open[LONGEST:]
        if self._open:
            self._add(self._open, place)

    def _line(self, text: str, place: int) -> int:
        """A whole line, in parts if it is very long; the byte after it."""
        if len(text) <= LONGEST:
            self._add(text, place)
            return place + (len(text) if text.isascii() else len(text.encode()))
        for first in range(0, len(text), LONGEST):
            part = text[first : first + LONGEST]
            self._add(part, place)
            place += len(part.encode())
        return place

    def _add(self, text: str, place: int) -> None:
        self.lines.append(cells(text))
        self.starts.append(place)
