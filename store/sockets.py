"""Paths of unix sockets, which the kernel wants short."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from store.errors import StorageError

SOCKET_PATH_LIMIT: Final = 107
"""Bytes of a path in a `sockaddr_un` on Linux, without its closing zero (unix(7))."""


@contextlib.contextmanager
def short_path(path: Path) -> Iterator[str]:
    """A name for a socket's path that fits into a `sockaddr_un`, valid inside the block.

    A longer path is reached through its folder's descriptor under /proc. Raises StorageError where there is no /proc.
    """
    if len(os.fsencode(path)) <= SOCKET_PATH_LIMIT:
        yield str(path)
        return
    if not Path("/proc/self/fd").is_dir():
        raise StorageError(
            f"the path of the socket is longer than {SOCKET_PATH_LIMIT} bytes",
            where=str(path),
            remedy="name a shorter home with TRAINSHED_HOME",
        )
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
