"""Values as JSON can hold them, and as short as they are shown."""

from __future__ import annotations

import base64
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

_SHOWN: Final = 200
"""Characters of a text that are shown."""


def plain(value: Any) -> Any:
    """A value as JSON can hold it."""
    match value:
        case None | bool() | int():
            return value
        case float():
            return value if value - value == 0 else str(value)
        case datetime() | date():
            return value.isoformat()
        case Decimal():
            return str(value)
        case bytes():
            return cut(base64.b64encode(value).decode())
        case list() | tuple():
            return [plain(v) for v in value]
        case dict():
            return {str(k): plain(v) for k, v in value.items()}
        case _:
            return cut(str(value))


def cut(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
