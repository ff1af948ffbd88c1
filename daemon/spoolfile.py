"""Reading a spool: whole lines from a byte offset, decoded and checked. No rows, no database."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from daemon.settle import LastWord
from store.wire import Fault

PIECE: Final = 4_000_000
"""Bytes read at once: bounds memory and the length of a transaction."""
LONGEST_LINE: Final = 32_000_000
"""A longer line is not one of ours; it is passed over."""
_TAIL: Final = 1_000_000
_HALF: Final = b"\\ud"
"""Where a character may be half of one; whole ones beyond the first 65,536 begin so too."""
_LAST_WORDS: Final = ("done", "skip", "fault")


@dataclass(frozen=True, kw_only=True)
class Line:
    """One event, or (with `kind` None) bytes that are none."""

    end: int
    """Byte offset after it."""
    number: int
    at: float
    """Unix seconds."""
    kind: str | None
    fields: dict[str, Any]


def read_lines(file: Path, offset: int) -> list[Line]:
    """The whole lines after `offset`, at most `PIECE` bytes of them unless one line is longer; empty if none is new."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return []
    try:
        if os.fstat(descriptor).st_size <= offset:
            return []
        data = os.pread(descriptor, PIECE, offset)
        while b"\n" not in data and PIECE <= len(data) < LONGEST_LINE:
            more = os.pread(descriptor, PIECE, offset + len(data))
            if not more:
                break
            data += more
    finally:
        os.close(descriptor)
    return list(_decode(data, offset))


def _decode(data: bytes, offset: int) -> Iterator[Line]:
    whole, newline, _ = data.rpartition(b"\n")
    if not newline:
        if len(data) >= LONGEST_LINE:
            yield Line(end=offset + len(data), number=0, at=0.0, kind=None, fields={"bytes": len(data)})
        return
    end = offset
    for raw in whole.split(b"\n"):
        end += len(raw) + 1
        if raw:
            yield _line(raw, end)


def _line(raw: bytes, end: int) -> Line:
    try:
        fields = _unicode(json.loads(raw)) if _HALF in raw else json.loads(raw)
        return Line(end=end, number=int(fields["n"]), at=float(fields["t"]), kind=str(fields["e"]), fields=fields)
    except (ValueError, KeyError, TypeError, RecursionError, OverflowError):
        return Line(end=end, number=0, at=0.0, kind=None, fields={"text": raw[:200].decode(errors="replace")})


def _unicode(fields: Any) -> Any:
    """With "?" for halves of characters, as names of files in another encoding have them: no database takes those."""
    return json.loads(json.dumps(fields, ensure_ascii=False).encode("utf-8", "replace"))


def last_word(file: Path) -> LastWord | None:
    """What the worker said at its end: `done`, `skip` or `fault`; None if it said none of these.

    A `skip` is followed by `done`, so the last megabyte is searched and the first of them counts.
    """
    try:
        size = file.stat().st_size
    except FileNotFoundError:
        return None
    with file.open("rb") as handle:
        start = max(0, size - _TAIL)
        handle.seek(start)
        data = handle.read()
    lines = [line for line in _decode(data, start) if line.kind in _LAST_WORDS]
    skips = [line for line in lines if line.kind == "skip"]
    chosen = skips[0] if skips and lines[-1].kind == "done" else (lines[-1] if lines else None)
    return None if chosen is None else _word(chosen)


def _word(line: Line) -> LastWord:
    fields = line.fields
    if line.kind != "fault":
        return LastWord(kind=str(line.kind), text=str(fields.get("reason") or fields.get("message") or ""))
    fault = Fault(
        code=str(fields.get("code", "Bug")),
        what=str(fields.get("what", "")),
        where=str(fields.get("where", "")),
        remedy=str(fields.get("remedy", "")),
    )
    return LastWord(kind="fault", fault=fault, retryable=bool(fields.get("retryable", False)))
