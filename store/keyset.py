"""Lists in pages: a token names the last row shown, so a deep page costs what the first one costs."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from store.errors import Refused
from store.wire import Page

Row = TypeVar("Row")
View = TypeVar("View")


def encode_token(*key: int | str) -> str:
    """The key of the last row shown, opaque to the one who carries it."""
    return base64.urlsafe_b64encode(json.dumps(key, separators=(",", ":")).encode()).decode().rstrip("=")


def decode_token(token: str, *kinds: type) -> tuple[Any, ...]:
    """The key inside a token of ours, checked for the types of its parts. Raises Refused for any other text."""
    try:
        key = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except ValueError:
        key = None
    if not isinstance(key, list) or [type(part) for part in key] != list(kinds):
        raise Refused(
            "this is not a page token of this list",
            where="after",
            remedy="use `next` of a page as it is, or start again",
        )
    return tuple(key)


def page(
    rows: Sequence[Row], limit: int, view: Callable[[Row], View], key: Callable[[Row], tuple[int | str, ...]]
) -> Page[View]:
    """A page of at most `limit` from rows that were asked for with `limit + 1`."""
    shown = rows[:limit]
    token = encode_token(*key(shown[-1])) if len(rows) > limit and shown else None
    return Page(items=[view(row) for row in shown], next=token)
