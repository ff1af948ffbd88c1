"""Copying over SSH: OSC 52 asks the terminal on the other side to put a text into its clipboard.

Inside tmux and screen the sequence is wrapped so that it passes through (tmux wants `set -g set-clipboard on` or
`allow-passthrough on`). Terminals take only so much, so what is longer goes to a file instead.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

MOST: Final = 74_994
"""Bytes of base64 that common terminals take."""


def osc52(text: str, environ: Mapping[str, str]) -> str | None:
    """The sequence to write to the terminal; None for a text that is too long for it."""
    encoded = base64.b64encode(text.encode()).decode()
    if len(encoded) > MOST:
        return None
    sequence = f"\x1b]52;c;{encoded}\x07"
    if "TMUX" in environ:
        return "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    if environ.get("TERM", "").startswith("screen"):
        return f"\x1bP{sequence}\x1b\\"
    return sequence


def write_copy(folder: Path, name: str, text: str) -> Path:
    """The text as a file for its owner alone; returns its path. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / name
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    return path
