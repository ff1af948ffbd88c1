"""A terminal in memory, and what can be seen on it: an independent witness of what was sent."""

from __future__ import annotations

from typing import Final, NamedTuple

import pyte

_SEEN_ON_BLANKS: Final = ("underscore", "strikethrough", "reverse", "blink")


class Seen(NamedTuple):
    """What an eye can tell of a cell: the ink of a space is not seen."""

    text: str
    ground: str
    rest: tuple[object, ...]


class Emulator:
    def __init__(self, columns: int = 120, rows: int = 40) -> None:
        self._screen = pyte.Screen(columns, rows)
        self._screen.reset_mode(7, private=True)  # no wrapping, as Textual asks for
        self._screen.set_mode(pyte.modes.LNM)  # as the tty does with a line feed
        self._stream = pyte.Stream(self._screen)

    def write(self, data: str) -> None:
        self._stream.feed(data)

    @property
    def picture(self) -> list[list[Seen]]:
        """All cells, line by line."""
        return [
            [_seen(self._screen.buffer[y][x]) for x in range(self._screen.columns)] for y in range(self._screen.lines)
        ]

    @property
    def lines(self) -> list[str]:
        """The text alone."""
        return [str(line) for line in self._screen.display]

    @property
    def cursor(self) -> tuple[int, int]:
        return self._screen.cursor.x, self._screen.cursor.y


def _seen(cell: pyte.screens.Char) -> Seen:
    if cell.data == " " and not any(getattr(cell, name) for name in _SEEN_ON_BLANKS):
        return Seen(" ", cell.bg, ())
    return Seen(cell.data, cell.bg, tuple(cell)[1:])
