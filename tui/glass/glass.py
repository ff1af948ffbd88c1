"""What the terminal shows, cell by cell, so that only cells that differ are sent, in as few style changes as can be.

Textual sends whole regions: a box that opens repaints what is around it, a scroll bar is drawn along with every line,
each piece of text carries all of its style and takes it off again. Here that text is read, drawn on a grid in memory,
and the difference to what stands on the screen is written. Anything that is not understood goes through as it is, and
then nothing is taken as known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from rich.cells import cell_len, get_character_cell_size

from tui.glass.looks import PLAIN, Look, Unknown, blank, change, shows_blanks_as, turned

SYNC_ON: Final = "\x1b[?2026h"
SYNC_OFF: Final = "\x1b[?2026l"
_BRIDGE: Final = 4
"""So many cells that stay are sent again, where stepping over them would cost as much."""
_TOKEN: Final = re.compile(
    r"\x1b\[(?P<style>[\d;]*)m|\x1b\[(?P<row>\d+);(?P<column>\d+)H|(?P<line>\r?\n)|(?P<text>[^\x00-\x1f\x7f-\x9f]+)"
)
_SILENT: Final = re.compile(r"(?:\x1b\[[?<>=][\d;]*[$]?[a-ln-zA-Z]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x07)+")
"""What changes no cell: modes, questions, titles, the clipboard, the bell."""
_SCREENS: Final = re.compile(r"\x1b\[\?(?:47|1047|1049)[hl]")


@dataclass
class _Row:
    """One line: texts of cells ("" where a wide character goes on, None where it is not known) and their looks."""

    texts: list[str | None] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)

    def copy(self) -> _Row:
        return _Row(self.texts.copy(), self.looks.copy())

    def put(self, x: int, texts: list[str], looks: list[Look]) -> None:
        """Draws over cells; half of a wide character that is left is not known any more."""
        end = x + len(texts)
        if len(self.texts) < end:
            more = end - len(self.texts)
            self.texts += [None] * more
            self.looks += [PLAIN] * more
        if x and self.texts[x] == "":
            self.texts[x - 1] = None
        if end < len(self.texts) and self.texts[end] == "":
            self.texts[end] = None
        self.texts[x:end] = texts
        self.looks[x:end] = looks


class Glass:
    """Use from one thread. Knows nothing at first."""

    def __init__(self) -> None:
        self._rows: dict[int, _Row] = {}
        self._cursor: tuple[int, int] | None = None
        """Column and row in which the terminal's cursor was left; None where that is not known."""
        self._sync_waits = False
        self.drawn = False
        """Whether a picture has come by."""

    def forget(self) -> None:
        """The terminal may show anything: it has another size, or somebody else wrote on it."""
        self._rows.clear()
        self._cursor = None

    def write(self, data: str) -> str:
        """What has to be sent, that the terminal shows what it would have shown after `data`."""
        if data == SYNC_ON:
            self._sync_waits = True  # until there is something to be shown at once
            return ""
        if data == SYNC_OFF and self._sync_waits:
            self._sync_waits = False
            return ""
        sent = self._translated(data)
        if sent and self._sync_waits:
            self._sync_waits = False
            return SYNC_ON + sent
        return sent

    def _translated(self, data: str) -> str:
        if _SILENT.fullmatch(data):
            if _SCREENS.search(data):
                self.forget()
            return data
        try:
            picture, cursor = self._drawn(data)
        except Unknown:
            self.drawn = True
            self.forget()
            return data
        self.drawn = self.drawn or bool(picture)
        return self._sent(picture, cursor)

    # ---- reading -----------------------------------------------------------------------------------------------------

    def _drawn(self, data: str) -> tuple[dict[int, _Row], tuple[int, int]]:
        """The lines that were drawn on, as they are then, and where the cursor is left. Raises Unknown."""
        picture: dict[int, _Row] = {}
        look, x, y, at = PLAIN, 0, 0, 0
        placed = False
        while at < len(data):
            token = _TOKEN.match(data, at)
            if token is None:
                raise Unknown(data[at : at + 20])
            at = token.end()
            match token.lastgroup:
                case "style":
                    look = turned(look, token["style"])
                case "column":
                    x, y, placed = int(token["column"]) - 1, int(token["row"]) - 1, True
                case "line":
                    x, y = 0, y + 1
                case _:
                    if not placed:
                        raise Unknown("text whose place is not said")
                    texts = _cells(token["text"])
                    row = picture.get(y)
                    if row is None:
                        row = picture[y] = self._rows.get(y, _Row()).copy()
                    row.put(x, texts, _looks(texts, look))
                    x += len(texts)
        if not placed or look != PLAIN:
            raise Unknown("a pen that is left")
        return picture, (x, y)

    # ---- sending -----------------------------------------------------------------------------------------------------

    def _sent(self, picture: dict[int, _Row], cursor: tuple[int, int]) -> str:
        parts: list[str] = []
        pen = PLAIN
        for y in sorted(picture):
            row = picture[y]
            before = self._rows.get(y)
            self._rows[y] = row
            end = None
            for start, stop in _spans(before, row):
                parts.append(f"\x1b[{y + 1};{start + 1}H" if end is None else _forward(start - end))
                for text, wanted in zip(row.texts[start:stop], row.looks[start:stop], strict=True):
                    if wanted is not pen and not (text == " " and shows_blanks_as(pen, wanted)):
                        parts.append(change(pen, wanted))
                        pen = wanted
                    parts.append(text or "")
                end = stop
        if pen != PLAIN:
            parts.append("\x1b[m")
        if parts or cursor != self._cursor:
            parts.append(f"\x1b[{cursor[1] + 1};{cursor[0] + 1}H")
        self._cursor = cursor
        return "".join(parts)


def _forward(cells: int) -> str:
    return "\x1b[C" if cells == 1 else f"\x1b[{cells}C"


def _cells(text: str) -> list[str]:
    """One text a cell; a wide character has an empty one after it, and marks stand with what they are put on.

    Raises Unknown where the width is in doubt.
    """
    if text.isascii():
        return list(text)
    cells: list[str] = []
    base = -1
    for character in text:
        size = get_character_cell_size(character)
        if size == 0:
            if base < 0:
                raise Unknown(f"on nothing: {character!r}")
            cells[base] += character
            continue
        base = len(cells)
        cells.append(character)
        cells += [""] * (size - 1)
    if len(cells) != cell_len(text):
        raise Unknown("characters that are drawn together")
    return cells


def _looks(texts: list[str], look: Look) -> list[Look]:
    empty = blank(look)
    return [empty if text == " " else look for text in texts]


def _spans(before: _Row | None, after: _Row) -> Iterator[tuple[int, int]]:
    """Where cells have to be sent, from and up to; what little stays between two of them is sent along."""
    if before == after:
        return
    start = stop = -1
    for x in _different(before or _Row(), after):
        if start < 0:
            start, stop = _head(after, x), x + 1
        elif x - stop <= _BRIDGE and None not in after.texts[stop:x]:
            stop = x + 1
        else:
            yield start, _tail(after, stop)
            start, stop = max(_tail(after, stop), _head(after, x)), x + 1
    if start >= 0:
        yield start, _tail(after, stop)


def _different(before: _Row, after: _Row) -> Iterator[int]:
    known = len(before.texts)
    for x, (text, look) in enumerate(zip(after.texts, after.looks, strict=True)):
        if text is not None and (x >= known or text != before.texts[x] or look != before.looks[x]):
            yield x


def _head(row: _Row, x: int) -> int:
    """Where the character that covers a cell begins."""
    while x and row.texts[x] == "":
        x -= 1
    return x


def _tail(row: _Row, stop: int) -> int:
    """Where the last character before a cell ends."""
    while stop < len(row.texts) and row.texts[stop] == "":
        stop += 1
    return stop
