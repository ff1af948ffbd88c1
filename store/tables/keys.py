"""API keys of endpoints."""

from __future__ import annotations

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from store.tables.base import big, json_column


class ApiKey(SQLModel, table=True):
    """Who may ask the served models. A revoked one stays, as a fact; the key itself is nowhere, only its hash."""

    __tablename__ = "api_key"
    __table_args__ = (Index("api_key_name", "name", "id"),)
    id: int | None = Field(default=None, primary_key=True)
    name: str
    key_id: str = Field(unique=True)
    key_hash: str
    models: list[str] = json_column(list)
    rate: float | None = None
    created_at: int = big()
    created_by: str
    revoked_at: int | None = big(default=None)
    revoked_by: str | None = None
