"""A table that is watched, as windows see it: how many rows a span has, which ones, and the rows themselves."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from pipeline.watching.windows import Window


@dataclass(frozen=True)
class Content:
    """Of a span."""

    rows: int
    """Of a log, requests."""
    token: str
    """Says which rows these are."""


@dataclass(frozen=True)
class Batch:
    rows: pa.RecordBatch
    """Every column of the cells, null where a row has none."""
    named: Mapping[str, int]
    """Column → rows that named it."""


class Watched(Protocol):
    """Rows with a time each. What is at rest is read, and nothing is changed."""

    def pieces(self, piece_us: int, since_us: int) -> Mapping[int, Content]:
        """Start → what lies in the piece of that length that begins there, of those with rows from `since_us` on."""
        ...

    def contents(self, windows: Sequence[Window]) -> Mapping[Window, Content]:
        """What lies in each of these windows, which do not overlap; those without rows are left out."""
        ...

    def times(self, since_us: int) -> Iterator[tuple[int, int]]:
        """(moment, rows) from `since_us` on, in the order of time."""
        ...

    def batches(self, window: Window) -> Iterator[Batch]:
        """Its rows, some ten thousand at a time."""
        ...


def token_of(parts: Iterable[tuple[int, str]]) -> str:
    """Of a window: of the (start, token) of its parts."""
    text = ";".join(f"{start}:{token}" for start, token in sorted(parts))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
