"""What is sent, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Message:
    """As `daemon.notices` composed it."""

    key: str
    """The same for each try."""
    body: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Answer:
    ok: bool
    """It was taken."""
    text: str
    """What was answered, or why nothing was; no secret is in it."""
    after_s: float | None = None
    """How long the receiver asks to be left alone."""
    unwanted: bool = False
    """The receiver is well and does not take this message: another try will hardly help."""
