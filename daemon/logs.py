"""Reading the size-capped logs of an attempt by offset (written by pipeline/process/cappedlog.py)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from store.wire import LogChunk

MOST: Final = 1_000_000
"""Bytes given out at once."""
_TRIES: Final = 5


@dataclass(frozen=True, kw_only=True)
class _Segment:
    start: int
    """Bytes ever written before it."""
    size: int
    file: BinaryIO


@dataclass(frozen=True)
class OpenLog:
    """A log as it was when it was opened: what is left of it, as one stream of the bytes ever written."""

    segments: list[_Segment]

    @property
    def first(self) -> int:
        """Offset of the oldest byte that was not dropped."""
        return self.segments[0].start if self.segments else 0

    @property
    def size(self) -> int:
        """Bytes ever written."""
        return self.segments[-1].start + self.segments[-1].size if self.segments else 0

    def read(self, start: int, limit: int) -> bytes:
        return b"".join(_pieces(self.segments, start, limit))


@contextmanager
def opened(log: Path) -> Iterator[OpenLog]:
    """Empty where there is no such log."""
    with ExitStack() as stack:
        yield OpenLog(_open(log, stack))


def read_log(log: Path, offset: int = 0, limit: int = MOST) -> LogChunk:
    """What stands in `log` from `offset`; the oldest that is there when that was dropped. Negative: from the end.

    Offsets count the bytes ever written, so they stay true when the oldest part is dropped. Text is cut at a whole
    UTF-8 character; bytes that are none are replaced.
    """
    with opened(log) as there:
        first, size = there.first, there.size
        start = min(max(first, size + offset if offset < 0 else offset), size)
        data = there.read(start, min(limit, MOST))
    whole = _whole_characters(data) if start + len(data) < size else data
    text = whole.decode("utf-8", errors="replace")
    return LogChunk(text=text, offset=start + len(whole), size=size, dropped=first)


def _open(log: Path, stack: ExitStack) -> list[_Segment]:
    """The segments, oldest first. A rotation between two looks is noticed by the names, and we look again."""
    segments: list[_Segment] = []
    for _ in range(_TRIES):
        older = _older(log)
        try:
            segments = []
            for start, file in older:
                segments.append(_segment(stack.enter_context(file.open("rb")), start))
            start = segments[-1].start + segments[-1].size if segments else 0
            segments.append(_segment(stack.enter_context(log.open("rb")), start))
        except FileNotFoundError:
            if not log.parent.is_dir() or (not older and not log.exists()):
                return []
            continue
        if _older(log) == older:
            break
    return segments


def _older(log: Path) -> list[tuple[int, Path]]:
    named = ((file.name.removeprefix(f"{log.name}."), file) for file in log.parent.glob(f"{log.name}.*"))
    return sorted((int(start), file) for start, file in named if start.isdigit())


def _segment(file: BinaryIO, start: int) -> _Segment:
    return _Segment(start=start, size=file.seek(0, 2), file=file)


def _pieces(segments: list[_Segment], start: int, limit: int) -> Iterator[bytes]:
    for segment in segments:
        if segment.start <= start < segment.start + segment.size and limit > 0:
            segment.file.seek(start - segment.start)
            piece = segment.file.read(min(limit, segment.start + segment.size - start))
            yield piece
            start, limit = start + len(piece), limit - len(piece)


def _whole_characters(data: bytes) -> bytes:
    """Without a character that is cut at the end (UTF-8 has at most three bytes after the first of a character)."""
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if byte & 0xC0 == 0xC0:
            needed = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return data[:-back] if back < needed else data
        if byte & 0x80 == 0:
            return data
    return data
