"""API keys of endpoints. The key itself is told once, to the one who makes it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from store.wire.base import Wire


class KeyView(Wire):
    name: str
    id: str
    """The part of the key that may be seen: `ts_ID_…`."""
    models: list[str]
    """Models that it may ask; empty: all."""
    rate: float | None
    """Requests a second; None: as many as it likes."""
    created_at: datetime
    created_by: str
    revoked_at: datetime | None
    revoked_by: str | None


class KeysView(Wire):
    required: bool
    """Whether the endpoints ask for a key."""
    why: str
    """Why they do, or do not."""
    keys: list[KeyView]
    """By name; revoked ones last."""


class KeyRequest(Wire):
    name: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$", description="Who is to use it.")
    models: list[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]] = Field(
        default=[], description="Models that it may ask; empty: all."
    )
    rate: float | None = Field(
        default=None, gt=0, le=1e6, allow_inf_nan=False, description="Requests a second; null: no limit."
    )


class KeyMade(Wire):
    key: str
    """Said this once; kept is only its hash."""
    view: KeyView
