"""What runs, and the box as a whole, used of the machine over time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from typing import Final

from sqlalchemy import delete, text
from sqlmodel import Session, col, select

from store.engine import Transaction
from store.tables import ResourceSample
from store.times import SECOND, from_us
from store.wire import BoxHistoryView, BoxPoint, ResourcePoint

_NEAR: Final = 600 * SECOND
BOX: Final = 0
"""The "run" under which the box's own samples are kept."""


@dataclass(frozen=True)
class Sample:
    """One measurement; the rates, bytes a second, and the disk are of the box only."""

    run: int
    cpu_percent: float
    """Of one CPU: 200 is two CPUs busy. Of the box: of all CPUs together."""
    rss: int
    """Bytes."""
    gpu_memory: int | None = None
    """Bytes."""
    disk_free: int | None = None
    received: float | None = None
    sent: float | None = None
    read: float | None = None
    written: float | None = None


_COLUMNS: Final = [field.name for field in fields(Sample)]
_INSERT: Final = (
    f"INSERT OR REPLACE INTO resource_sample (at, {', '.join(_COLUMNS)}) VALUES (?, {', '.join('?' * len(_COLUMNS))})"
)


def add_samples(tx: Transaction, samples: Iterable[Sample]) -> None:
    """Stores one measurement a run, taken now. A second one at the same microsecond replaces the first."""
    tx.driver.executemany(_INSERT, [(tx.now, *astuple(sample)) for sample in samples])


def samples_of(session: Session, run: int, limit: int = 1000, *, until: int | None = None) -> list[ResourcePoint]:
    """The newest `limit` samples, oldest first; with `until` (µs), the newest by then."""
    query = select(ResourceSample).where(ResourceSample.run == run).order_by(col(ResourceSample.at).desc())
    if until is not None:
        query = query.where(col(ResourceSample.at) <= until)
    return [
        ResourcePoint(at=from_us(row.at), cpu_percent=row.cpu_percent, rss=row.rss, gpu_memory=row.gpu_memory)
        for row in reversed(session.exec(query.limit(limit)).all())
    ]


_STRETCHES: Final = text(
    "SELECT (at - :since) / :step, avg(cpu_percent), max(cpu_percent), max(rss), min(disk_free), "
    "avg(received), avg(sent), avg(read), avg(written), max(gpu_memory) "
    "FROM resource_sample WHERE run = :box AND at >= :since AND at < :until GROUP BY 1 ORDER BY 1"
)


def box_history(session: Session, since: int, until: int, points: int) -> BoxHistoryView:
    """The box from `since` to `until` (µs) in at most `points` stretches of equal length.

    They begin at multiples of their length, so that those of the past are the same in the next answer: a chart moves on
    by one of them, and does not change everywhere.
    """
    step = max(1, -(-(until - since) // points))
    since += -since % step
    found = session.connection().execute(_STRETCHES, {"since": since, "until": until, "step": step, "box": BOX})
    return BoxHistoryView(
        since=from_us(since),
        step_seconds=step / SECOND,
        points=[
            BoxPoint(
                at=from_us(since + number * step),
                cpu_percent=round(mean, 1),
                cpu_peak=peak,
                memory_used=memory,
                disk_free=disk,
                received=received,
                sent=sent,
                read=read,
                written=written,
                gpu_memory=gpu,
            )
            for number, mean, peak, memory, disk, received, sent, read, written, gpu in found
        ],
    )


def last_box(session: Session, at: int) -> ResourceSample | None:
    """The box as last measured by a time (µs), if that was not long before."""
    query = select(ResourceSample).where(ResourceSample.run == BOX, col(ResourceSample.at) <= at)
    row = session.exec(query.order_by(col(ResourceSample.at).desc()).limit(1)).first()
    return row if row is not None and at - row.at <= _NEAR else None


def forget_box_before(tx: Transaction, at: int) -> None:
    """Drops the box's samples older than `at` (µs); those of runs stay."""
    tx.connection.execute(delete(ResourceSample).where(col(ResourceSample.run) == BOX, col(ResourceSample.at) < at))
