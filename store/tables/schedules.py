"""When jobs run."""

from __future__ import annotations

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from store.tables.base import Json, big, json_column


class Schedule(SQLModel, table=True):
    """When a job runs. The project file defines it; whether it is paused is the operator's."""

    __table_args__ = (Index("schedule_due", "enabled", "next_at"),)
    name: str = Field(primary_key=True)
    job: str
    spec: Json = json_column()
    timezone: str = "UTC"
    params: Json = json_column()
    upstream: bool = True
    overlap: str = "skip"
    catch_up: str = "last"
    catch_up_window_s: float = 86_400.0
    jitter_s: float = 0.0
    pause_after_failures: int | None = None
    enabled: bool = True
    paused_reason: str = ""
    broken: str = ""
    failures: int = 0
    next_at: int | None = big(default=None)
    last_at: int | None = big(default=None)
    rev: int = Field(default=0, index=True)
