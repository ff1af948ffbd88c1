"""What a program printed, made harmless: colours become tones, every other control character is shown, not sent. Pure.

A log is written by others. Sent to the terminal as it is, it could move the cursor, set the title, fill the clipboard
or answer questions in the operator's name; here, nothing but printable characters ever leaves.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from tui.printable import visible
from tui.table.column import Cell
from tui.themes import Tone

_SGR: Final = re.compile("\x1b\\[([0-9;:]{0,64})m")
_TAB: Final = 8
_TONES: Final[dict[int, Tone]] = {
    1: "strong",
    2: "dim",
    31: "bad",
    32: "good",
    33: "warn",
    34: "live",
    35: "mark",
    36: "live",
    90: "dim",
    91: "bad",
    92: "good",
    93: "warn",
    94: "live",
    95: "mark",
    96: "live",
}


def cells(raw: str) -> tuple[Cell, ...]:
    """A line as text with tones."""
    if raw.isprintable():
        return (Cell(raw),)
    raw = _last_writing(raw)
    found: list[Cell] = []
    tone: Tone = ""
    column = place = 0
    for match in _SGR.finditer(raw):
        column = _add(found, raw[place : match.start()], tone, column)
        tone = _tone(match[1], tone)
        place = match.end()
    _add(found, raw[place:], tone, column)
    return tuple(found)


def harmless(raw: str) -> str:
    """A line as plain text."""
    return "".join(cell.text for cell in cells(raw))


def _last_writing(raw: str) -> str:
    """Of a line that was written over and over with carriage returns, as progress bars are: the last."""
    return next((part for part in reversed(raw.split("\r")) if part), "")


def _add(found: list[Cell], text: str, tone: Tone, column: int) -> int:
    """Appends a text; the column after it."""
    if not text:
        return column
    shown: list[str] = []
    for character in text:
        part = " " * (_TAB - column % _TAB) if character == "\t" else visible(character)
        shown.append(part)
        column += len(part)
    found.append(Cell("".join(shown), tone))
    return column


def _tone(parameters: str, before: Tone) -> Tone:
    """SGR by ECMA-48; what has no tone changes nothing, and extended colours (38, 48) are passed over."""
    tone = before
    codes = [int(part) if part.isdecimal() else 0 for part in parameters.replace(":", ";").split(";")]
    skip = 0
    for number, code in enumerate(codes):
        if skip:
            skip -= 1
        elif code in (38, 48):
            skip = {5: 2, 2: 4}.get(codes[number + 1] if number + 1 < len(codes) else 0, 0)
        elif code in (0, 39) or (code == 22 and tone in ("strong", "dim")):
            tone = ""
        elif code in _TONES and not (code == 1 and tone):
            tone = _TONES[code]
    return tone


def wrapped(line: Sequence[Cell], width: int) -> list[tuple[Cell, ...]]:
    """The line in pieces of at most `width` cells."""
    from rich.cells import cell_len, chop_cells

    if width < 2 or sum(cell_len(cell.text) for cell in line) <= width:
        return [tuple(line)]
    rows: list[list[Cell]] = [[]]
    room = width
    for cell in line:
        text = cell.text
        while text:
            if room < 2:
                rows.append([])
                room = width
            part = chop_cells(text, room)[0]
            rows[-1].append(Cell(part, cell.tone))
            text = text[len(part) :]
            room -= cell_len(part)
    return [tuple(row) for row in rows]
