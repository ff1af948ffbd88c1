"""What runs, and the box as a whole, used of the machine over time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete
from sqlmodel import Session, col, select

from store.engine import Transaction
from store.tables import ResourceSample
from store.times import from_us
from store.wire import ResourcePoint

BOX: Final = 0
"""The "run" under which the box's own samples are kept."""


@dataclass(frozen=True)
class Sample:
    run: int
    cpu_percent: float
    """Of one CPU: 200 is two CPUs busy."""
    rss: int
    """Bytes."""
    gpu_memory: int | None = None
    """Bytes."""


def add_samples(tx: Transaction, samples: Iterable[Sample]) -> None:
    """Stores one measurement a run, taken now. A second one at the same microsecond replaces the first."""
    tx.driver.executemany(
        "INSERT OR REPLACE INTO resource_sample (run, at, cpu_percent, rss, gpu_memory) VALUES (?, ?, ?, ?, ?)",
        [(s.run, tx.now, s.cpu_percent, s.rss, s.gpu_memory) for s in samples],
    )


def samples_of(session: Session, run: int, limit: int = 1000) -> list[ResourcePoint]:
    """The newest `limit` samples, oldest first."""
    query = select(ResourceSample).where(ResourceSample.run == run).order_by(col(ResourceSample.at).desc())
    return [
        ResourcePoint(at=from_us(row.at), cpu_percent=row.cpu_percent, rss=row.rss, gpu_memory=row.gpu_memory)
        for row in reversed(session.exec(query.limit(limit)).all())
    ]


def forget_box_before(tx: Transaction, at: int) -> None:
    """Drops the box's samples older than `at` (µs); those of runs stay."""
    tx.connection.execute(delete(ResourceSample).where(col(ResourceSample.run) == BOX, col(ResourceSample.at) < at))
