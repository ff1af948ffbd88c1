"""Sequences for the terminal that Textual has no call for. Source: xterm's ctlseqs, "Mouse Tracking"."""

from __future__ import annotations

from typing import Final

MOUSE_ON: Final = "\x1b[?1000h\x1b[?1002h\x1b[?1006h"
"""Clicks, drags, in SGR coordinates."""
MOUSE_OFF: Final = "\x1b[?1006l\x1b[?1003l\x1b[?1002l\x1b[?1000l"
