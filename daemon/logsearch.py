"""Looking for a text in a log, of whatever size: piece by piece, so that other threads go on and it can be given up.

What is looked for is a text as it stands, or a pattern (`daemon.logpattern`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from daemon.logs import OpenLog, opened
from store.patience import Stopped
from store.wire import LogHit

PIECE: Final = 1 << 19
"""Bytes looked through at once: half a millisecond to a whole one."""
AROUND: Final = 16_384
"""Bytes of a line that are shown before and after what was found."""
Stop = Callable[[], bool]
Span = tuple[int, int]
"""The byte at which something stands, and how many bytes it has."""


class Wanted(Protocol):
    """What is looked for. Both raise Stopped."""

    def after(self, there: OpenLog, start: int, stop: Stop) -> Span | None:
        """The first place at or after byte `start`."""

    def before(self, there: OpenLog, start: int, stop: Stop) -> Span | None:
        """The last place that begins before byte `start`; it may reach beyond."""


def find(log: Path, wanted: Wanted, start: int | None, *, backward: bool, stop: Stop) -> LogHit:
    """The first place at or after byte `start`, or backward the last before it. Raises Stopped."""
    with opened(log) as there:
        if backward:
            found = wanted.before(there, there.size if start is None else min(start, there.size), stop)
        else:
            found = wanted.after(there, max(start or 0, there.first), stop)
        return LogHit(offset=None, size=there.size) if found is None else _hit(there, *found)


@dataclass(frozen=True)
class Text:
    """As it stands."""

    text: bytes
    ignore_case: bool
    """Of the letters A to Z."""

    def after(self, there: OpenLog, start: int, stop: Stop) -> Span | None:
        at = start
        while at < there.size:
            found = self._piece(there, at, PIECE + len(self.text) - 1, stop).find(self._wanted)
            if found >= 0:
                return at + found, len(self.text)
            at += PIECE
        return None

    def before(self, there: OpenLog, start: int, stop: Stop) -> Span | None:
        end = start
        while end > there.first:
            at = max(there.first, end - PIECE)
            found = self._piece(there, at, end - at + len(self.text) - 1, stop).rfind(self._wanted)
            if found >= 0:
                return at + found, len(self.text)
            end = at
        return None

    @property
    def _wanted(self) -> bytes:
        return self.text.lower() if self.ignore_case else self.text

    def _piece(self, there: OpenLog, at: int, limit: int, stop: Stop) -> bytes:
        if stop():
            raise Stopped
        data = there.read(at, limit)
        return data.lower() if self.ignore_case else data


def _hit(there: OpenLog, at: int, length: int) -> LogHit:
    begin = max(there.first, at - AROUND)
    before = there.read(begin, at - begin)
    after = there.read(at, min(length, PIECE) + AROUND)
    line_start = before.rfind(b"\n") + 1
    end = after.find(b"\n", length)
    line = before[line_start:] + (after if end < 0 else after[:end])
    return LogHit(
        offset=at,
        line_offset=begin + line_start,
        line=line.decode("utf-8", errors="replace").rstrip("\r"),
        next_line=at + (len(after) if end < 0 else end + 1),
        size=there.size,
    )
