"""The log that the supervisor and its workers share has a bound, also where none of them starts anew for a year."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

MOST: Final = 5_000_000
"""Bytes; as many again lie in the file beside it."""


def keep_bounded(log: Path, most: int = MOST) -> None:
    """Once it has more than `most` bytes they go to `NAME.1`, and it begins anew. Raises OSError.

    All of them write to its end through one open file (O_APPEND), so it is emptied where it is: they would go on in one
    that is renamed. What is written while it is copied may be lost.
    """
    with open(log, "r+b") as file:
        if os.fstat(file.fileno()).st_size > most:
            shutil.copyfile(log, log.with_name(f"{log.name}.1"))
            file.truncate(0)
