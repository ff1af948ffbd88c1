"""What columns of all tables share: JSON holds plain data, a time is an integer."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, Column
from sqlmodel import Field

Json = dict[str, Any]


def json_column(default: Any = None) -> Any:
    """Plain data, never null; `default` makes the empty value (a dict)."""
    return Field(default_factory=default or dict, sa_column=Column(JSON, nullable=False))


def big(**options: Any) -> Any:
    """64 bits, for times in microseconds and sizes in bytes."""
    return Field(sa_type=BigInteger, **options)
