"""Where the daemon's socket is, for those who load nothing to find out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from tui.failure import NoDaemon

SOCKET_PATH_LIMIT: Final = 107
"""Bytes of a path in a `sockaddr_un` on Linux, without its closing zero (unix(7))."""


def address_of(socket: Path) -> tuple[int | None, str]:
    """A name for the socket that fits into a `sockaddr_un`, and the folder's descriptor that it may need."""
    if len(os.fsencode(socket)) <= SOCKET_PATH_LIMIT or not socket.parent.is_dir():
        return None, str(socket)
    folder = os.open(socket.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    return folder, f"/proc/self/fd/{folder}/{socket.name}"


def nobody(socket: Path) -> NoDaemon:
    return NoDaemon("no daemon is running here", where=str(socket), remedy="start it with `trainshed up --detach`")
