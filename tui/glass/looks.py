"""How a cell looks, and the fewest bytes that turn the terminal's pen from one look to another. Pure.

Source: ECMA-48 §8.3.117 (SGR), and xterm's ctlseqs for the colours behind 38 and 48.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple


class Unknown(Exception):
    """Something was written that is not understood here."""


class Look(NamedTuple):
    """What SGR made of the pen. Colours as their parameters, `38;2;10;20;30`; empty is the terminal's own."""

    ink: str = ""
    ground: str = ""
    attributes: frozenset[str] = frozenset()


PLAIN: Final = Look()
_OFF: Final = {
    **dict.fromkeys("12", "22"),
    "3": "23",
    **dict.fromkeys(("4", "21"), "24"),
    **dict.fromkeys("56", "25"),
    "7": "27",
    "8": "28",
    "9": "29",
    **dict.fromkeys(("51", "52"), "54"),
    "53": "55",
}
"""Attribute → what takes it away, together with its twin."""
_SEEN_ON_BLANKS: Final = frozenset({"4", "21", "5", "6", "7", "9", "51", "52", "53"})
_INKS: Final = frozenset(str(n) for n in (*range(30, 38), *range(90, 98)))
_GROUNDS: Final = frozenset(str(n) for n in (*range(40, 48), *range(100, 108)))


@lru_cache(maxsize=4096)
def turned(look: Look, parameters: str) -> Look:
    """The pen after one SGR sequence. Raises Unknown."""
    ink, ground, attributes = look
    rest = iter(parameters.split(";"))
    for code in rest:
        if code in {"", "0"}:
            ink, ground, attributes = PLAIN
        elif code in _OFF:
            attributes |= {code}
        elif code in _INKS:
            ink = code
        elif code in _GROUNDS:
            ground = code
        elif code == "38":
            ink = _colour(code, rest)
        elif code == "48":
            ground = _colour(code, rest)
        elif code == "39":
            ink = ""
        elif code == "49":
            ground = ""
        else:
            raise Unknown(f"SGR {parameters}")
    return Look(ink, ground, attributes)


def _colour(code: str, rest: Iterator[str]) -> str:
    """One of 256 colours (5;N), or red, green and blue (2;R;G;B)."""
    kind = next(rest, "")
    length = {"5": 1, "2": 3}.get(kind)
    if length is None:
        raise Unknown(f"colour {code};{kind}")
    return ";".join([code, kind, *(next(rest, "0") for _ in range(length))])


@lru_cache(maxsize=4096)
def blank(look: Look) -> Look:
    """The look of a space: its ink is not seen, unless something is drawn through or under it."""
    return look if look.attributes & _SEEN_ON_BLANKS else Look(ground=look.ground)


@lru_cache(maxsize=4096)
def shows_blanks_as(pen: Look, wanted: Look) -> bool:
    """Whether a space under this pen looks as wanted, so that the pen need not be turned for it."""
    return blank(pen) == wanted


@lru_cache(maxsize=4096)
def change(before: Look, after: Look) -> str:
    """The shortest SGR sequence from one to the other; empty where they are the same."""
    if before == after:
        return ""
    anew = ["0" if after != PLAIN else "", *sorted(after.attributes), after.ink, after.ground]
    fresh = ";".join(part for number, part in enumerate(anew) if part or number == 0)
    step = ";".join(_steps(before, after))
    return f"\x1b[{min(fresh, step, key=len)}m"


def _steps(before: Look, after: Look) -> Iterator[str]:
    """Only what is different."""
    gone = {_OFF[code] for code in before.attributes - after.attributes}
    yield from sorted(gone)
    yield from sorted(code for code in after.attributes if code not in before.attributes or _OFF[code] in gone)
    if before.ink != after.ink:
        yield after.ink or "39"
    if before.ground != after.ground:
        yield after.ground or "49"
