"""How an answer leads to the next request. Pure: an answer in, the next position out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from pipeline.config.sources import Paging
from pipeline.sources.decode import dig
from store.errors import SourceMalformed


@dataclass(frozen=True)
class Position:
    """Which request of a series: the first, one by its token, page or row number, or an address of the server's."""

    kind: Literal["first", "token", "page", "offset", "url"]
    value: str | int = 0

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "value": self.value}


@dataclass(frozen=True, kw_only=True)
class Given:
    """What an answer says about what follows it."""

    document: Any
    """The parsed JSON answer, or None for other formats."""
    link: str | None
    """Absolute address from the Link header's rel="next"."""
    rows: int


def start(paging: Paging | None) -> Position:
    if paging is not None and paging.style == "page":
        return Position("page", paging.first)
    if paging is not None and paging.style == "offset":
        return Position("offset", 0)
    return Position("first")


def query(paging: Paging | None, position: Position) -> dict[str, str | int]:
    """The query parameters that ask for this position."""
    if paging is None:
        return {}
    asked: dict[str, str | int] = {paging.size_param: paging.size} if paging.size_param else {}
    if position.kind in ("token", "page", "offset"):
        asked[paging.param] = position.value
    return asked


def following(paging: Paging | None, position: Position, given: Given, where: str) -> Position | None:
    """The position after this answer, or None when it was the last.

    Pages and offsets go on until an answer without rows: servers may give fewer rows than asked for in the middle.
    Raises SourceMalformed when an answer leads back to itself.
    """
    found = _following(paging, position, given)
    if found is not None and found == position:
        raise SourceMalformed(
            f"the paging goes round in a circle: {position.value!r} leads to itself",
            where=where,
            remedy="check `paging.param` and `paging.next` against the API's documentation",
        )
    return found


def _following(paging: Paging | None, position: Position, given: Given) -> Position | None:
    if paging is None:
        return None
    match paging.style:
        case "cursor":
            token = dig(given.document, paging.next)
            if token is None or token == "" or isinstance(token, bool | dict | list):
                return None
            is_address = isinstance(token, str) and token.startswith(("http://", "https://"))
            return Position("url" if is_address else "token", token)
        case "link":
            return Position("url", given.link) if given.link else None
        case "page":
            return Position("page", int(position.value) + 1) if given.rows else None
        case "offset":
            return Position("offset", int(position.value) + given.rows) if given.rows else None
