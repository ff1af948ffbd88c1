"""Versions of models, and the moves of aliases."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Index
from sqlmodel import Field, SQLModel

from store.tables.base import Json, big, json_column


class ModelVersion(SQLModel, table=True):
    """An immutable trained model with its evidence."""

    __tablename__ = "model_version"
    __table_args__ = (
        # What is asked of all versions of a model: their rows are long, and nearly all of it is evidence.
        Index("model_version_newest", "model", "number", "rev"),
        Index("model_version_of_set", "training_set", "model", "number"),
    )
    model: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    run: int = Field(foreign_key="run.id", unique=True)
    digest: str
    path: str
    task: str
    objective: str
    metrics: Json = json_column()
    baseline: Json = json_column()
    evidence: Json = json_column()
    signature: Json = json_column()
    lineage: Json = json_column()
    verdict: Json | None = Field(default=None, sa_column=Column(JSON))
    training_set: str
    fingerprint: str
    created_at: int = big()
    rev: int = Field(default=0, index=True)


class AliasEvent(SQLModel, table=True):
    """Every move of an alias, for ever; where an alias points is its newest row."""

    __tablename__ = "alias_event"
    __table_args__ = (Index("alias_now", "model", "alias", "id"),)
    id: int | None = Field(default=None, primary_key=True)
    model: str
    alias: str
    action: str
    from_version: int | None = None
    to_version: int
    actor: str
    reason: str = ""
    overridden: bool = False
    gates: list[Json] = json_column(list)
    """The verdict as it stood at that moment."""
    created_at: int = big()
