"""When the tests' history happens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

NOW: Final = datetime(2026, 6, 15, 12, tzinfo=UTC)
"""When it ends, and what the clock of the tests says."""


@dataclass
class Hand:
    """A clock that stands still until it is moved."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def back(self, **before: float) -> None:
        """So much before NOW: `back(hours=2)`."""
        self.now = NOW - timedelta(**before)

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
