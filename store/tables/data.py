"""Versions of datasets and feature views, and what checks found."""

from __future__ import annotations

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from store.tables.base import Json, big, json_column


class DatasetVersion(SQLModel, table=True):
    """One version of a dataset or of a feature view's rows: a Delta version and what is known about it."""

    __tablename__ = "dataset_version"
    dataset: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    kind: str
    run: int = Field(foreign_key="run.id", index=True)
    rows: int
    added: int
    removed: int = 0
    quarantined: int = 0
    bytes: int = big()
    columns: list[Json] = json_column(list)
    schema_changes: list[str] = json_column(list)
    inputs: Json = json_column()
    fingerprint: str
    newest: int | None = big(default=None)
    note: str = ""
    sample: list[Json] = json_column(list)
    created_at: int = big()
    rev: int = Field(default=0, index=True)


class DatasetInput(SQLModel, table=True):
    """What a version of a dataset was made from, the other way round; kept up to date by store/tables/kept.py."""

    __tablename__ = "dataset_input"
    __table_args__ = {"sqlite_with_rowid": False}
    given: str = Field(primary_key=True)
    """As it is called in `DatasetVersion.inputs`."""
    given_version: int = Field(primary_key=True)
    dataset: str = Field(primary_key=True)
    version: int = Field(primary_key=True)


class CheckResult(SQLModel, table=True):
    __tablename__ = "check_result"
    __table_args__ = (Index("check_result_of_version", "dataset", "version"),)
    id: int | None = Field(default=None, primary_key=True)
    dataset: str = Field(index=True)
    version: int | None = None
    """None: the rows were refused before they became a version."""
    run: int = Field(foreign_key="run.id", index=True)
    name: str
    kind: str
    severity: str
    outcome: str
    failing: int
    total: int
    allowed: float
    detail: str
    sample: list[Json] = json_column(list)
    created_at: int = big()
