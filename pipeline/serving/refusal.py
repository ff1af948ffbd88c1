"""A request that is not answered: the status of HTTP, a sentence for its sender, and what a gRPC client hears."""

from __future__ import annotations

from typing import Final

import orjson

TOO_BIG: Final = 413
BUSY: Final = 503
TOO_LATE: Final = 504


class Refusal(Exception):
    """One request is refused; nothing else is touched."""

    def __init__(self, status: int, message: str, retry_after: int | None = None) -> None:
        """`retry_after`: seconds after which it may be tried again."""
        super().__init__(message)
        self.status = status
        self.message = message
        self.retry_after = retry_after

    def body(self) -> bytes:
        return orjson.dumps({"error": self.message})


def malformed(message: str) -> Refusal:
    return Refusal(400, message)


def unknown(message: str) -> Refusal:
    return Refusal(404, message)


def busy(message: str) -> Refusal:
    return Refusal(BUSY, message, retry_after=1)
