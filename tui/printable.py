"""Text of strangers, fit for a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

_COLOUR: Final = re.compile(r"(\x1b\[[\d;:]{0,64}m)")
_BEGUN: Final = re.compile(r"\x1b(\[[\d;:]{0,64})?\Z")
_PLAIN: Final = "\x1b[0m"
_MOVES: Final = re.compile(r"([\n\r\t]+)")
_PICTURES: Final = 0x2400
"""Where Unicode keeps pictures of the control characters."""


def printable(text: str) -> str:
    """The text on one line, without anything that a terminal would obey: what runs print is not to be trusted."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else " " if char.isspace() else "\N{REPLACEMENT CHARACTER}" for char in text
    )


def shortened(text: str, most: int) -> str:
    """At most so many letters of it, printable."""
    return printable(text if len(text) <= most else f"{text[: most - 1]}…")


def coloured(pieces: Iterable[str]) -> Iterator[str]:
    """A log as it comes, for a terminal: colours and line ends are kept, and taken back at the end; nothing else in it
    is obeyed. A colour may be cut in two by the end of a piece.
    """
    rest, changed = "", False
    for piece in pieces:
        text = rest + piece
        begun = _BEGUN.search(text)
        rest = begun[0] if begun is not None else ""
        parts = _COLOUR.split(text[: len(text) - len(rest)])
        changed = changed or len(parts) > 1
        yield "".join(part if number % 2 else _unobeyed(part) for number, part in enumerate(parts))
    yield _unobeyed(rest) + (_PLAIN if changed else "")


def _unobeyed(text: str) -> str:
    parts = _MOVES.split(text)  # line by line: of a long log nearly all are printable as they are
    return "".join(
        part if number % 2 or part.isprintable() else "".join(map(visible, part)) for number, part in enumerate(parts)
    )


def visible(character: str) -> str:
    """What stands for a character that a terminal would obey."""
    if character.isprintable():
        return character
    code = ord(character)
    if code < 0x20:
        return chr(_PICTURES + code)
    if code == 0x7F:
        return "␡"
    if character.isspace():
        return " "
    return f"<{code:02X}>" if code < 0x100 else f"<U+{code:04X}>"
