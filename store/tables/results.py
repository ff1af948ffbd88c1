"""What runs leave behind: settings, files, checkpoints, training sets."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, Column
from sqlmodel import Field, SQLModel

from store.tables.base import Json, big, json_column


class Param(SQLModel, table=True):
    run: int = Field(primary_key=True, foreign_key="run.id")
    name: str = Field(primary_key=True)
    value: Any = Field(default=None, sa_column=Column(JSON))


class Artifact(SQLModel, table=True):
    run: int = Field(primary_key=True, foreign_key="run.id")
    name: str = Field(primary_key=True)
    kind: str
    path: str
    digest: str
    bytes: int = big()
    created_at: int = big()


class Checkpoint(SQLModel, table=True):
    run: int = Field(primary_key=True, foreign_key="run.id")
    step: int = Field(primary_key=True)
    path: str
    digest: str
    bytes: int = big()
    created_at: int = big()


class TrainingInput(SQLModel, table=True):
    """What a training set was made from, the other way round; kept up to date by store/tables/kept.py."""

    __tablename__ = "training_input"
    __table_args__ = {"sqlite_with_rowid": False}
    given: str = Field(primary_key=True)
    """As it is called in `TrainingSet.inputs`."""
    given_version: int = Field(primary_key=True)
    digest: str = Field(primary_key=True)


class TrainingSet(SQLModel, table=True):
    """The exact rows a model was trained on, as an artefact."""

    __tablename__ = "training_set"
    digest: str = Field(primary_key=True)
    model: str
    run: int = Field(foreign_key="run.id")
    path: str
    rows: int
    columns: list[Json] = json_column(list)
    inputs: Json = json_column()
    query: str
    created_at: int = big()
