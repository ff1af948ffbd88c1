"""Sizes of batches: powers of two, so few programs are compiled, whatever is asked. The only place that knows."""

from __future__ import annotations

from collections.abc import Iterator


def buckets(largest: int) -> tuple[int, ...]:
    """1, 2, 4 … up to the first power of two that is not below `largest`."""
    return tuple(2**power for power in range((max(largest, 1) - 1).bit_length() + 1))


def bucket_of(rows: int) -> int:
    """The smallest bucket that holds so many rows (at least one)."""
    return int(2 ** (rows - 1).bit_length())


def pieces(rows: int, largest: int) -> Iterator[tuple[int, int]]:
    """(start, end) of the runs that answer so many rows, none longer than the largest bucket."""
    for start in range(0, rows, largest):
        yield start, min(start + largest, rows)
