"""What is left of runs that were removed because they were old."""

from __future__ import annotations

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from store.tables.base import big


class RemovedRun(SQLModel, table=True):
    """A run that was removed: enough to say so to whoever still refers to it, and not to run its time again."""

    __tablename__ = "removed_run"
    __table_args__ = (
        Index("removed_run_time", "schedule", "scheduled_for", sqlite_where=text("schedule IS NOT NULL")),
        Index("removed_run_left", "id", sqlite_where=text("bytes IS NULL")),
        Index("removed_run_untold", "id", sqlite_where=text("event IS NULL")),
    )
    id: int = Field(primary_key=True)
    """The run's number, which no other one gets."""
    job: str
    state: str
    trigger: str
    schedule: str | None = None
    scheduled_for: int | None = big(default=None)
    created_at: int = big()
    ended_at: int = big()
    removed_at: int = big()
    bytes: int | None = big(default=None)
    """On the disk, that came free; None as long as there may be curves or files of it."""
    event: int | None = None
    """That tells of the removal; None until one does."""
