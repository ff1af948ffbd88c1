"""What must outlive a power cut needs: bytes that are on the disk, what they were, and whether they fit."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path
from typing import Final

from store.errors import DiskFull, StorageError

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


def sync(path: Path) -> None:
    """The file's bytes, or the folder's entries, are on the disk when this returns. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace(file: Path, text: str, mode: int) -> None:
    """The file as a whole, synced, in one rename; `mode` of the new one. Its folder is made for its user only.

    Raises StorageError: then the old one is as it was.
    """
    aside = file.with_name(f"{file.name}.new")
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        aside.unlink(missing_ok=True)
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        with open(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
        sync(aside)
        os.replace(aside, file)
        sync(file.parent)
    except OSError as error:
        raise (DiskFull if is_full(error) else StorageError)(
            f"it cannot be written: {error.strerror}",
            where=str(file),
            remedy="free space there, or mend the permissions; it is written again within a minute",
        ) from error


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
