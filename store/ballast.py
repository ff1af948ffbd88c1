"""Space kept back on the disk, so that "the disk is full" can itself be written into the record."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

BALLAST_BYTES: Final = 64_000_000
ROOM_BYTES: Final = 4 * BALLAST_BYTES
"""Free space that there has to be before we take some of it."""


class Ballast:
    """One file of 64 MB that is given up once when the disk is full."""

    def __init__(self, file: Path) -> None:
        self._file = file

    @property
    def present(self) -> bool:
        return self._file.exists()

    def drop(self) -> bool:
        """Gives its space back to the disk; False when it was already gone."""
        try:
            self._file.unlink()
        except OSError:
            return False
        return True

    def restore(self) -> bool:
        """Takes the space again if there is plenty of it; True when the ballast is there afterwards."""
        if self.present:
            return True
        if shutil.disk_usage(self._file.parent).free < ROOM_BYTES:
            return False
        temporary = self._file.with_suffix(".partial")
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, BALLAST_BYTES)
            finally:
                os.close(descriptor)
            temporary.replace(self._file)
        except OSError:
            temporary.unlink(missing_ok=True)
            return False
        return True
