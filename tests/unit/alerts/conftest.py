"""A real record, and a clock that tests set."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from store.engine import Record
from store.home import Home
from store.times import to_us


class HandClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    @property
    def us(self) -> int:
        return to_us(self.now)

    def later(self, **much: float) -> int:
        """Moves it; the new time in µs."""
        self.now += timedelta(**much)
        return self.us


@pytest.fixture
def clock() -> HandClock:
    return HandClock(datetime(2026, 3, 2, 12, 0, tzinfo=UTC))


@pytest.fixture
def record(tmp_path: Path, clock: HandClock) -> Iterator[Record]:
    opened = Record.open(Home(tmp_path / "home"), clock)
    yield opened
    opened.close()
