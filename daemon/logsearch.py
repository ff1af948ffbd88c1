"""Looking for a text in a log, of whatever size: piece by piece, so that other threads go on and it can be given up.

Text as it stands only: Python's regular expressions can take for ever on one line, and cannot be stopped.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from daemon.logs import OpenLog, opened
from store.patience import Stopped
from store.wire import LogHit

_PIECE: Final = 1 << 19
"""Bytes looked through at once: half a millisecond."""
_AROUND: Final = 16_384
"""Bytes of a line that are shown before and after what was found."""


def find(
    log: Path, text: bytes, start: int | None, *, backward: bool, ignore_case: bool, stop: Callable[[], bool]
) -> LogHit:
    """The first place at or after byte `start`, or backward the last before it. Raises Stopped."""
    wanted = text.lower() if ignore_case else text
    with opened(log) as there:
        look = _before if backward else _after
        at = look(there, wanted, there.size if start is None and backward else start or 0, ignore_case, stop)
        return LogHit(offset=None, size=there.size) if at is None else _hit(there, at, len(text))


def _after(there: OpenLog, wanted: bytes, start: int, ignore_case: bool, stop: Callable[[], bool]) -> int | None:
    at = max(start, there.first)
    while at < there.size:
        found = _piece(there, at, _PIECE + len(wanted) - 1, ignore_case, stop).find(wanted)
        if found >= 0:
            return at + found
        at += _PIECE
    return None


def _before(there: OpenLog, wanted: bytes, start: int, ignore_case: bool, stop: Callable[[], bool]) -> int | None:
    """Places that begin before `start`; what is found may reach beyond it."""
    end = min(start, there.size)
    while end > there.first:
        at = max(there.first, end - _PIECE)
        found = _piece(there, at, end - at + len(wanted) - 1, ignore_case, stop).rfind(wanted)
        if found >= 0:
            return at + found
        end = at
    return None


def _piece(there: OpenLog, at: int, limit: int, ignore_case: bool, stop: Callable[[], bool]) -> bytes:
    if stop():
        raise Stopped
    data = there.read(at, limit)
    return data.lower() if ignore_case else data


def _hit(there: OpenLog, at: int, length: int) -> LogHit:
    begin = max(there.first, at - _AROUND)
    before = there.read(begin, at - begin)
    after = there.read(at, length + _AROUND)
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
