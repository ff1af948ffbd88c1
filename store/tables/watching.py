"""What monitors have found: windows, and the reports over them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index
from sqlmodel import Field, SQLModel

from store.tables.base import Json, big, json_column


class WatchWindow(SQLModel, table=True):
    """A closed window of a monitored table. It is restated when labels, or rows, come later."""

    __tablename__ = "watch_window"
    __table_args__ = (Index("watch_window_end", "monitor", "end_us"),)
    monitor: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    """That answered; 0 of a dataset."""
    start_us: int = Field(primary_key=True, sa_type=BigInteger)
    end_us: int = big()
    rows: int
    labelled: int = 0
    measures: Json = json_column()
    """Column → {measure: value}, against the monitor's reference as it was then."""
    limits: Json = json_column()
    """Column → {measure: size from which it counts}."""
    performance: Json = json_column()
    """As `store.wire.WindowPerformance` has it; empty where there are no labels."""
    estimate: Json = json_column()
    service: Json = json_column()
    token: str = ""
    """Of the rows and labels that it was made of: another one restates it."""
    report: int | None = None
    """The last one that looked at it anew."""
    restated_at: int | None = big(default=None)
    rev: int = Field(default=0, index=True)


class WatchStream(SQLModel, table=True):
    """The errors of a version, as far as a monitor has followed them."""

    __tablename__ = "watch_stream"
    monitor: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    until_us: int = big()
    """What was known before then is in it, and in no other state to come."""
    state: Json = json_column()
    """As `pipeline.watching.errorstream.StreamState` writes it."""
    report: int
    """That it was stored with."""


class DriftReport(SQLModel, table=True):
    """The verdict of one run of a monitor."""

    __tablename__ = "drift_report"
    __table_args__ = (Index("drift_report_of_monitor", "monitor", "id"),)
    id: int | None = Field(default=None, primary_key=True)
    monitor: str
    model: str = ""
    """Empty: it watches a dataset."""
    version: int = 0
    run: int = Field(foreign_key="run.id", unique=True)
    at: int = big()
    since: int | None = big(default=None)
    until: int | None = big(default=None)
    state: str
    reason: str
    rows: int
    windows: int = 0
    body: Json = json_column()
    """`columns` as `store.wire.DriftColumn` has them, and what else the report tells."""
    findings: list[Json] = json_column(list)
    rev: int = Field(default=0, index=True)
