"""What must outlive a power cut needs: bytes that are on the disk, what they were, and whether they fit."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path
from typing import Final

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


def sync(path: Path) -> None:
    """The file's bytes, or the folder's entries, are on the disk when this returns. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256_of(file: Path) -> str:
    """Of the file's bytes, hexadecimal. Raises OSError."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def is_full(error: BaseException) -> bool:
    """Whether an error says, or was caused by one that says, that there is no space left.

    Libraries in Rust and C++ (deltalake, DuckDB, TensorStore) only pass on the operating system's words.
    """
    while True:
        if isinstance(error, OSError) and error.errno in _FULL:
            return True
        if any(os.strerror(number) in str(error) for number in _FULL):
            return True
        if error.__cause__ is None:
            return False
        error = error.__cause__
