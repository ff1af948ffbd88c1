"""Segments: append-only files, each of one writer, that say by a lock whether somebody still writes them.

Whoever writes holds an flock until the segment is full or the process is gone, however it went. A segment gets its name
once it is locked, so a named one without a lock is finished for ever. A child that was forked, and not executed, holds
the lock too.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from store.disk import sync

SUFFIX: Final = ".jsonl"
_UNNAMED: Final = ".new"


class Segment:
    """One file, open for appending, with whole lines only."""

    def __init__(self, folder: Path, name: str) -> None:
        """Makes it. Raises OSError, FileExistsError if the name is taken."""
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / (name + SUFFIX)
        unnamed = folder / (name + _UNNAMED)
        if self.path.exists():
            raise FileExistsError(f"{self.path} is there: two writers have one name")
        self._file = os.open(unnamed, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o640)
        self.size = 0
        self.sound = True
        """False if it may end in half a line: append no more, and the half is never read."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX)
            unnamed.rename(self.path)
            sync(folder)
        except OSError:
            self.close()
            raise

    def append(self, lines: bytes) -> None:
        """All of it or nothing. Raises OSError, and then the segment is as it was, or not `sound` any more."""
        left = memoryview(lines)
        try:
            while left:
                left = left[os.write(self._file, left) :]
        except OSError:
            self.sound = self._cut_back()
            raise
        self.size += len(lines)

    def _cut_back(self) -> bool:
        try:
            os.ftruncate(self._file, self.size)
        except OSError:
            return False
        return True

    def sync(self) -> None:
        """What was appended outlives a power cut. Raises OSError."""
        os.fdatasync(self._file)

    def close(self) -> None:
        """Finished: nothing is appended any more."""
        os.close(self._file)


def segments(folder: Path) -> list[Path]:
    """All of them, by name: those of one writer in their order."""
    return sorted(folder.glob(f"*{SUFFIX}"))


def finished(segment: Path) -> bool:
    """Whether nobody writes it any more. Raises OSError."""
    descriptor = os.open(segment, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def whole_lines(segment: Path, offset: int, limit: int) -> Iterator[tuple[int, bytes]]:
    """(offset after the line, line) from `offset` on, about `limit` bytes of them, none that has no end yet."""
    with segment.open("rb") as file:
        file.seek(offset)
        end = offset
        for line in file:
            if not line.endswith(b"\n") or end - offset >= limit:
                return
            end += len(line)
            yield end, line
