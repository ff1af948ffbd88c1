"""Reading keys, as Textual's thread does, but a lone Escape is told when its time is over.

Textual 8.2 looks every 0.1 s whether a sequence was begun and not ended, however short its ESCDELAY is, so each step
back took a tenth of a second. Source: textual/drivers/linux_driver.py, run_input_thread.
"""

from __future__ import annotations

import os
import selectors
import threading
from codecs import getincrementaldecoder
from collections.abc import Callable
from typing import Final

from textual import constants
from textual._parser import ParseError
from textual._xterm_parser import XTermParser
from textual.message import Message

_AT_ONCE: Final = 4_096
_LOOK_S: Final = 0.1
"""How soon the end of the UI is noticed."""
_ESCAPE: Final = "\x1b"
_MARGIN_S: Final = 0.001
"""Or the look comes a moment too early, and the next one late."""


def listen(fileno: int, over: threading.Event, parser: XTermParser, tell: Callable[[Message], None]) -> None:
    """Reads until `over`; every key, paste and answer of the terminal is told."""
    decode = getincrementaldecoder("utf-8")().decode
    with selectors.SelectSelector() as selector:
        selector.register(fileno, selectors.EVENT_READ)

        def look(wait: float) -> float:
            """Seconds to wait the next time."""
            text = decode(os.read(fileno, _AT_ONCE)) if selector.select(wait) else ""
            for message in (*(parser.feed(text) if text else ()), *parser.tick()):
                tell(message)
            # An Escape may be the key, or the beginning of a sequence whose rest is on its way.
            return constants.ESCAPE_DELAY + _MARGIN_S if _ESCAPE in text else _LOOK_S

        wait = _LOOK_S
        while not over.is_set():
            wait = look(wait)
        look(_LOOK_S)  # what the terminal still answers would stand in the shell
    _end(parser)


def _end(parser: XTermParser) -> None:
    try:
        for _ in parser.feed(""):
            pass
    except (EOFError, ParseError):
        pass  # in the middle of a sequence
