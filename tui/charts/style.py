"""What a terminal can draw curves with. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tui.charts.plot import Style

_POOR: Final = frozenset({"linux", "vt100", "vt220"})
"""Terminals whose fonts have no braille."""


def style_for(environ: Mapping[str, str], *, lite: bool) -> Style:
    """Braille where the locale is UTF-8 or not said; eighths of blocks for slow links; else ASCII."""
    locale = environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG") or "UTF-8"
    if "utf" not in locale.lower():
        return "ascii"
    return "blocks" if lite or environ.get("TERM") in _POOR else "braille"
