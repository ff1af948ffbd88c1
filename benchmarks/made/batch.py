"""Rows of an invented history on their way into the record."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from store.events import Line
from store.metrics import Chunk


@dataclass
class Batch:
    """Rows of one transaction."""

    runs: list[dict[str, Any]] = field(default_factory=list)
    attempts: list[dict[str, Any]] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    chunks: list[Chunk] = field(default_factory=list)
    datasets: list[dict[str, Any]] = field(default_factory=list)
    models: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class History:
    """What was given out so far."""

    numbers: random.Random
    begins: int
    """Microseconds since 1970 UTC."""
    versions: dict[str, int] = field(default_factory=dict)

    def next_version(self, name: str, first: int) -> int:
        self.versions[name] = self.versions.get(name, first - 1) + 1
        return self.versions[name]
