"""The segment of a folder that one writer writes, and the next when it is full. No more than the folder may hold."""

from __future__ import annotations

import time
from pathlib import Path

from pipeline.predictions.segments import Segment, segments


class Pen:
    """For one thread at a time."""

    def __init__(self, folder: Path, writer: str, *, segment: int, most: int) -> None:
        """`writer`: a name that no process ever had, without a dot. `segment`: bytes after which the next begins.

        `most`: bytes of all segments in the folder; beyond them nothing is taken until some are taken away.
        """
        self._folder, self._writer = folder, writer
        self._segment_bytes, self._most = segment, most
        self._segment: Segment | None = None
        self._number = 0
        self._synced_at = time.monotonic()
        self.unsynced = False

    def append(self, lines: bytes) -> bool:
        """False if the disk, or the limit of the folder, did not take them."""
        if not lines:
            return True
        try:
            if self._segment is not None and self._segment.size >= self._segment_bytes:
                self.finish()
            if self._segment is None:
                self._segment = self._next()
            self._segment.append(lines)
        except OSError:
            if self._segment is not None and not self._segment.sound:
                self.finish()
            return False
        self.unsynced = True
        return True

    def sync_if_due(self, seconds: float) -> None:
        """A power cut loses what was written for at most so long."""
        if self.unsynced and time.monotonic() - self._synced_at >= seconds:
            self.sync()

    def sync(self) -> bool:
        """What was appended outlives a power cut; False if the disk fails."""
        synced = True
        if self._segment is not None:
            try:
                self._segment.sync()
            except OSError:
                synced = False
        self._synced_at, self.unsynced = time.monotonic(), False
        return synced

    def finish(self) -> None:
        if self._segment is not None:
            self.sync()
            self._segment.close()
            self._segment = None

    def _next(self) -> Segment:
        if sum(path.stat().st_size for path in segments(self._folder)) >= self._most:
            raise OSError(f"{self._folder} has reached its limit")
        self._number += 1
        return Segment(self._folder, f"{self._writer}.{self._number:06d}")
