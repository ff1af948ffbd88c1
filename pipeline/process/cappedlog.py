"""A log file with a bound on its size. Standard library only: the shim uses it."""

from __future__ import annotations

import os
from collections.abc import Callable


class CappedLog:
    """A log file that never grows above a bound: the oldest half goes first.

    `path` is the newest segment; the one before is `path.START`, where START counts the bytes ever written before
    it. One rename publishes both, so a reader needs no other file to know where it is.
    """

    def __init__(self, path: str, cap: int) -> None:
        self._path = path
        self._segment = max(1, cap // 2)
        self._start = 0
        self._size = 0
        self._older: tuple[str, int] | None = None
        self.dropped = 0
        self._file = self._open()

    def write(self, data: bytes) -> None:
        """Never fails and never waits for anybody: what the disk refuses is counted as dropped."""
        while data:
            try:
                if self._size >= self._segment:
                    self._rotate()
                piece = data[: self._segment - self._size]
                written = os.write(self._file, piece)
            except OSError:
                self.dropped += len(data)
                return
            self._size += written
            data = data[written:]

    def close(self) -> None:
        os.close(self._file)

    def _rotate(self) -> None:
        """Raises OSError, and all is as before."""
        aside = f"{self._path}.{self._start}"
        renamed = _there(os.rename, self._path, aside)
        try:
            file = self._open()
        except OSError:
            if renamed:
                os.rename(aside, self._path)
            raise
        os.close(self._file)
        if self._older is not None:
            _there(os.unlink, self._older[0])
            self.dropped += self._older[1]
        self._older = (aside, self._size) if renamed else None
        self.dropped += 0 if renamed else self._size
        self._start += self._size
        self._size = 0
        self._file = file

    def _open(self) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)


def _there(change: Callable[..., None], *files: str) -> bool:
    """False where somebody has deleted the file, to make space."""
    try:
        change(*files)
    except FileNotFoundError:
        return False
    return True
