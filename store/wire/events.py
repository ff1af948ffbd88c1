"""The history."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from store.wire.base import Wire


class EventView(Wire):
    id: int
    at: datetime
    actor: str
    kind: str
    subject: str
    """`run 12`, `flights@3`, `late 2`, `schedule nightly`, `daemon`."""
    message: str
    data: dict[str, Any]
