"""Looking for a pattern in a log, by RE2: its time grows with the text only, whatever pattern and line.

Lines are looked at one by one, as `grep` does; of a line longer than a piece, piece by piece.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any, Final

from daemon.logs import OpenLog
from daemon.logsearch import AROUND, PIECE, Span, Stop
from store.errors import Refused
from store.patience import Stopped

_MEMORY: Final = 8 << 20
"""Bytes that RE2 may take for one pattern, compiled and with what it has learned of a text."""
_REMEDY: Final = (
    "write one that RE2 reads, such as loss=(nan|inf) or step \\d+; a \\ before a sign means the sign itself"
)


@dataclass(frozen=True)
class Pattern:
    """What the expression `compiled` fits."""

    compiled: Any
    """By `re2`, which has no types."""

    def after(self, there: OpenLog, start: int, stop: Stop) -> Span | None:
        at = _line_of(there, start)
        while at < there.size:
            data = _piece(there, at, PIECE, stop)
            whole = _whole_lines(data, last=at + len(data) >= there.size)
            found = self.compiled.search(data, max(0, start - at), whole)
            if found is not None:
                return at + found.start(), found.end() - found.start()
            at += whole
        return None

    def before(self, there: OpenLog, start: int, stop: Stop) -> Span | None:
        end = start
        while end > there.first:
            at = max(there.first, end - PIECE)
            data = _piece(there, at, end - at + AROUND, stop)  # its last line may reach beyond
            begin = 0 if at == there.first else data.find(b"\n", 0, end - at) + 1
            line_end = data.find(b"\n", end - at)
            fitting = self.compiled.finditer(data, begin, len(data) if line_end < 0 else line_end)
            last = deque((found for found in fitting if found.start() < end - at), maxlen=1)
            if last:
                return at + last[0].start(), last[0].end() - last[0].start()
            end = at + begin
            if begin == 0:
                end = at
        return None


def pattern(text: str, *, ignore_case: bool) -> Pattern:
    """Raises Refused for what is no pattern, and for one that fits also where nothing stands."""
    import re2  # a megabyte, which a daemon whose logs nobody searches by patterns goes without

    options = re2.Options()
    options.case_sensitive = not ignore_case
    options.log_errors = False
    options.max_mem = _MEMORY
    options.never_capture = options.never_nl = True
    try:
        re2.compile(text, options)  # by itself: what is wrong with it is said in its own words
        compiled = re2.compile(f"(?m)(?:{text})", options)
    except re2.error as error:
        raise Refused(f"{text} cannot be read: {_said(error)}", where="pattern", remedy=_REMEDY) from None
    finally:
        re2.purge()  # it would keep each pattern, with its memory, for ever
    if compiled.search(b"") is not None:
        remedy = "ask for at least one character: x+ instead of x*"
        raise Refused(f"{text} fits everywhere, for it fits where nothing stands", where="pattern", remedy=remedy)
    return Pattern(compiled)


def _said(error: Exception) -> str:
    (said,) = error.args
    return said.decode("utf-8", errors="replace") if isinstance(said, bytes) else str(said)


def _piece(there: OpenLog, at: int, limit: int, stop: Stop) -> bytes:
    if stop():
        raise Stopped
    return there.read(at, limit)


def _whole_lines(data: bytes, *, last: bool) -> int:
    """Bytes of the lines that are whole; of one longer line all that is here."""
    return len(data) if last else data.rfind(b"\n") + 1 or len(data)


def _line_of(there: OpenLog, start: int) -> int:
    """Where the line of a byte begins, if that is near."""
    at = max(there.first, start - AROUND)
    return at + there.read(at, start - at).rfind(b"\n") + 1 if start > at else start
