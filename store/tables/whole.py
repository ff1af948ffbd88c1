"""The record itself, and its history."""

from __future__ import annotations

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from store.tables.base import Json, big, json_column


class Meta(SQLModel, table=True):
    """Single values of the whole record: `revision`, `project`, `written_by`."""

    key: str = Field(primary_key=True)
    value: str


class Event(SQLModel, table=True):
    """One line of the append-only history: who, what, from, to, why."""

    __table_args__ = (Index("event_actor", "actor", "id"),)
    id: int | None = Field(default=None, primary_key=True)
    created_at: int = big(index=True)
    actor: str
    kind: str = Field(index=True)
    subject: str = Field(index=True)
    message: str
    data: Json = json_column()
    rev: int = Field(default=0, index=True)
