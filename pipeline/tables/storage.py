"""A full disk, a read-only folder, too little memory: faults of the machine, told as such."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import duckdb

from store.disk import is_full
from store.errors import DiskFull, StorageError

_REASONS: Final = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the quota of this user is used up",
    errno.EFBIG: "a file may not get this large here",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "this user may not write here",
    errno.EPERM: "this user may not write here",
    errno.EIO: "the disk reports a fault",
    errno.EEXIST: "there is a file where a folder has to be",
    errno.EISDIR: "there is a folder where a file has to be",
    errno.ENOTDIR: "there is a file where a folder has to be",
}


@contextmanager
def storage_faults(folder: Path) -> Iterator[None]:
    """What the operating system or DuckDB says about disk and memory, as a StorageError with a remedy."""
    try:
        yield
    except OSError as error:
        reason = _REASONS.get(error.errno or 0)
        if reason is None:
            raise
        raise (DiskFull if is_full(error) else StorageError)(
            f"{reason} ({error.strerror or error})",
            where=str(error.filename or folder),
            remedy="free space or mend the permissions, then run the job again; the lake is as it was before",
        ) from error
    except (duckdb.OutOfMemoryException, duckdb.IOException) as error:
        raise (DiskFull if is_full(error) else StorageError)(
            str(error).strip(),
            where=str(folder),
            remedy="free disk space and memory, then run the job again; the lake is as it was before",
        ) from error
