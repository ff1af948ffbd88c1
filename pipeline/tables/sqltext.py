"""Values and names as DuckDB SQL text, so that nothing of a project can be taken for SQL."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from store.sqltext import identifier as identifier

Literal = bool | int | float | str | datetime


def literal(value: Literal) -> str:
    """A value as SQL text of the type it has in Python; a time without an offset is UTC."""
    match value:
        case bool():
            return "TRUE" if value else "FALSE"
        case int():
            return str(value)
        case float():
            return f"'{value}'::DOUBLE" if not math.isfinite(value) else f"{value!r}::DOUBLE"
        case datetime():
            moment = value if value.tzinfo else value.replace(tzinfo=UTC)
            return f"'{moment.astimezone(UTC).isoformat()}'::TIMESTAMPTZ"
        case str():
            return "'" + value.replace("'", "''") + "'"
