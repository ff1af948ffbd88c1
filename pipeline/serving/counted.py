"""What becomes of a request, from its first byte to its answer: for the metrics, the prediction log, the shadow."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from pipeline.serving.journal import Exchange
from pipeline.serving.metrics import Door
from pipeline.serving.outputs import Scores
from pipeline.serving.refusal import Refusal
from pipeline.serving.request import ClientGone
from pipeline.serving.shadowing import Encode
from pipeline.serving.shelf import Picked

NOBODY_WAITED: Final = 499
"""As nginx counts a client that has gone."""


@dataclass(slots=True)
class Counted:
    """Of one request; as a context it hears how the request ended, and says so to `told`."""

    told: Callable[[Counted], None]
    model: str
    door: Door
    began: float
    """On the desk's clock."""
    picked: Picked | None = None
    """Once its version is chosen."""
    picked_at: float = 0.0
    """When that was, on the desk's clock."""
    request: str = ""
    """Its id, or the one that it was given."""
    unit: str | None = None
    status: int = 500
    exchange: Exchange | None = None
    """Once its version is chosen and its rows are read."""
    encode: Encode | None = None
    """How its rows were read: the shadow may take them otherwise."""
    scores: Scores | None = None
    named: bytes | None = None
    """The id that it was given, if it came without one and is logged under it."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if error is None:
            self.status = 200
        elif isinstance(error, Refusal):
            self.status = error.status
        elif isinstance(error, ClientGone | asyncio.CancelledError):
            self.status = NOBODY_WAITED
        self.told(self)
