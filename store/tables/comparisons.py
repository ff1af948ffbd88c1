"""Comparisons of versions on live traffic, and shadows."""

from __future__ import annotations

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from store.tables.base import Json, big, json_column


class Comparison(SQLModel, table=True):
    """Versions that part a model's traffic, from its beginning to its end; at most one of a model runs."""

    __table_args__ = (
        Index("comparison_running", "model", unique=True, sqlite_where=text("status = 'running'")),
        Index("comparison_of_model", "model", "id"),
    )
    id: int | None = Field(default=None, primary_key=True)
    model: str
    kind: str
    name: str = ""
    control: int
    """The version in production: it answers everybody who has no treatment."""
    split: Json = json_column()
    """Salt, hash, and each treatment's interval and room: see pipeline/traffic/documents.py."""
    plan: Json = json_column()
    """What was decided at its beginning, as its kind has it: a canary's stages, an experiment's rules."""
    stage: int = 0
    """Grows whenever shares change: what is counted in one stage was counted under the same shares."""
    state: Json = json_column()
    """What is kept between two looks, as its kind has it."""
    status: str = "running"
    reason: str = ""
    """Why it was begun, and, once it has ended, why that."""
    actor: str
    ended_by: str | None = None
    began_at: int = big()
    ended_at: int | None = big(default=None)
    rev: int = Field(default=0, index=True)


class Shadow(SQLModel, table=True):
    """A version that is given copies of a model's requests and never answers; a row while it does."""

    model: str = Field(primary_key=True)
    version: int
    share: float
    """Of the requests."""
    actor: str
    reason: str = ""
    since: int = big()
    rev: int = Field(default=0, index=True)
