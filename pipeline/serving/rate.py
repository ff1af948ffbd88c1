"""A token bucket for each API key, over all workers together.

A bucket is one number, the moment at which it is full again (the generic cell rate algorithm, ITU-T I.371): each
request puts it off by one token's time, and a request that would put it off by more than the burst waits. So it fits
into eight bytes of a file that all workers map. They take no lock: of two that ask in the same microsecond one may go
uncounted.
"""

from __future__ import annotations

import mmap
import os
from pathlib import Path
from typing import Final

_CELL: Final = 8
_PLACES: Final = 512
"""The file grows by so many."""


def admitted(full_at: float, now: float, rate: float) -> tuple[float, float]:
    """(when the bucket is full again, seconds to wait); 0 seconds: go ahead. Pure.

    `rate`: tokens a second; the bucket holds one second's worth, and one at least. A `full_at` that no bucket of this
    rate could have, by more than a token, is of another rate, or of the clock before the machine started: it counts as
    full.
    """
    token = 1.0 / rate
    burst = max(1.0, rate) * token
    if not now < full_at <= now + burst + token:
        full_at = now
    wait = full_at + token - (now + burst)
    # Of sums of floats: a token that comes back a picosecond late is there.
    return (full_at + token, 0.0) if wait <= 1e-9 else (full_at, wait)


class Rates:
    """The buckets of all keys. `now` is the machine's monotonic clock, which its processes share."""

    def __init__(self, file: Path) -> None:
        """Makes the file, or joins those who have it. Raises OSError."""
        self._descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._cells = memoryview(b"").cast("d")
        self._map: mmap.mmap | None = None

    def take(self, place: int, now: float, rate: float) -> float:
        """One token of the bucket at `place`: 0, or the seconds until there is one."""
        if place >= len(self._cells):
            self._grow(place)
        full_at, wait = admitted(self._cells[place], now, rate)
        self._cells[place] = full_at
        return wait

    def close(self) -> None:
        self._let_go()
        os.close(self._descriptor)

    def _grow(self, place: int) -> None:
        size = (place // _PLACES + 1) * _PLACES * _CELL
        if os.fstat(self._descriptor).st_size < size:
            os.ftruncate(self._descriptor, size)  # others may map less of it
        self._let_go()
        self._map = mmap.mmap(self._descriptor, size)
        self._cells = memoryview(self._map).cast("d")

    def _let_go(self) -> None:
        self._cells.release()
        if self._map is not None:
            self._map.close()
            self._map = None
