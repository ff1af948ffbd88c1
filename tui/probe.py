"""What the terminal says of itself before the UI takes it: its ground, and how far away it is.

One question for the background colour (OSC 11) and one for the cursor's place (DSR 6), which every terminal answers:
the second answer says that the first will not come any more, and its delay is the link's. Runs in a thread while
Textual is being loaded, so it costs no time. Source: xterm's ctlseqs, "Operating System Commands", "DSR".
"""

from __future__ import annotations

import os
import re
import select
import termios
import time
import tty
from collections.abc import Callable
from typing import Final, NamedTuple

QUESTION: Final = b"\x1b]11;?\x1b\\\x1b[6n"
PATIENCE_S: Final = 0.4
SLOW_S: Final = 0.15
"""From here on a link counts as slow."""
_GROUND = re.compile(rb"\x1b\]11;rgba?:([0-9a-fA-F]+)/([0-9a-fA-F]+)/([0-9a-fA-F]+)")
_PLACE = re.compile(rb"\x1b\[\d+;\d+R")


class Terminal(NamedTuple):
    """None: it did not say."""

    dark: bool | None = None
    delay_s: float | None = None

    @property
    def slow(self) -> bool:
        return self.delay_s is not None and self.delay_s > SLOW_S


def ask_terminal(read_from: int, write_to: int, clock: Callable[[], float] = time.monotonic) -> Terminal:
    """Asks through these descriptors; a terminal that says nothing costs `PATIENCE_S`."""
    try:
        before = termios.tcgetattr(read_from)
    except termios.error:
        return Terminal()
    try:
        tty.setcbreak(read_from, termios.TCSANOW)
        began = clock()
        os.write(write_to, QUESTION)
        heard = _listen(read_from, began, clock)
        return Terminal(ground_is_dark(heard), clock() - began if _PLACE.search(heard) else None)
    finally:
        termios.tcsetattr(read_from, termios.TCSANOW, before)


def _listen(read_from: int, began: float, clock: Callable[[], float]) -> bytes:
    heard = b""
    while not _PLACE.search(heard):
        left = began + PATIENCE_S - clock()
        if left <= 0 or not select.select([read_from], [], [], left)[0]:
            break
        heard += os.read(read_from, 1024)
    return heard


def ground_is_dark(answer: bytes) -> bool | None:
    """From an OSC 11 answer, by the ground's perceived lightness (ITU-R BT.601)."""
    found = _GROUND.search(answer)
    if found is None:
        return None
    red, green, blue = (int(part, 16) / (16 ** len(part) - 1) for part in found.groups())
    return bool(0.299 * red + 0.587 * green + 0.114 * blue < 0.5)
