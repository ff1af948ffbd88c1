"""Points of curves, and what runs and the box used."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index
from sqlmodel import Field, SQLModel

from store.tables.base import big


class MetricKey(SQLModel, table=True):
    """Interned metric names."""

    __tablename__ = "metric_key"
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)


class Metric(SQLModel, table=True):
    """One point. A resumed attempt that computes a step again replaces it: a curve never forks."""

    __table_args__ = {"sqlite_with_rowid": False}
    run: int = Field(primary_key=True)
    key: int = Field(primary_key=True)
    step: int = Field(primary_key=True)
    at: int = big()
    value: float | None = None


class MetricLatest(SQLModel, table=True):
    """The newest point of each series, kept in the same transaction."""

    __tablename__ = "metric_latest"
    __table_args__ = (Index("metric_latest_value", "key", "value", "run"), {"sqlite_with_rowid": False})
    run: int = Field(primary_key=True)
    key: int = Field(primary_key=True)
    step: int
    at: int = big()
    value: float | None = None


class MetricRange(SQLModel, table=True):
    """Lowest and highest point of a range of steps of a long curve, see store/ranges.py."""

    __tablename__ = "metric_range"
    __table_args__ = {"sqlite_with_rowid": False}
    run: int = Field(primary_key=True)
    key: int = Field(primary_key=True)
    range: int = Field(primary_key=True)
    low_step: int
    low: float | None = None
    high_step: int
    high: float | None = None


class ResourceSample(SQLModel, table=True):
    """What a run (or, as run 0, the box) used."""

    __tablename__ = "resource_sample"
    __table_args__ = {"sqlite_with_rowid": False}
    run: int = Field(primary_key=True)
    at: int = Field(primary_key=True, sa_type=BigInteger)
    cpu_percent: float
    rss: int = big()
    gpu_memory: int | None = big(default=None)
    disk_free: int | None = big(default=None)
    """Bytes; this and what follows are known of the box only."""
    received: float | None = None
    """Bytes a second, like the three that follow."""
    sent: float | None = None
    read: float | None = None
    written: float | None = None
