"""The listening socket, which outlives every process that answers on it."""

from __future__ import annotations

import errno
import socket
from typing import Final

from pipeline.serving.settings import ServingSettings
from store.errors import StorageError

BACKLOG: Final = 4096
"""Connections that wait while a worker is replaced."""


def listen_at(host: str, port: int) -> socket.socket:
    """Raises StorageError with the address."""
    try:
        return listening_socket(host, port)
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        raise StorageError(
            f"cannot listen there: {error.strerror or error}",
            where=f"{host}:{port}",
            remedy="name a free port as `port` of [serving]" if taken else "name another `host` in [serving]",
        ) from None


def reserve(host: str, port: int) -> socket.socket:
    """Keeps a port for those who share it by SO_REUSEPORT; it takes no connection itself. Raises StorageError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    kept = socket.socket(family, socket.SOCK_STREAM)
    try:
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        kept.bind((host, port))
    except OSError as error:
        kept.close()
        raise StorageError(
            f"cannot keep the port: {error.strerror or error}",
            where=f"{host}:{port}",
            remedy="name a free port as `grpc_port` of [serving]",
        ) from None
    return kept


def is_at(listener: socket.socket, settings: ServingSettings) -> bool:
    """Whether it is the socket that the settings mean (any port will do for port 0)."""
    host, port = listener.getsockname()[:2]
    return settings.port in (0, port) and host in _addresses(settings.host, listener.family)


def _addresses(host: str, family: int) -> set[str]:
    """A name's; of an address itself."""
    try:
        found = socket.getaddrinfo(host, None, family, socket.SOCK_STREAM)
    except OSError:
        return {host}
    return {str(one[4][0]) for one in found}


def address(host: str, port: int) -> str:
    """As in URLs: an address of IPv6 stands in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def listening_socket(host: str, port: int) -> socket.socket:
    """Raises OSError. Answers on connections that are used again leave at once.

    asyncio sets TCP_NODELAY only on sockets that know their protocol, which an inherited one may not; accepted sockets
    take the option over from the listening one, so it is set here (Kludex/uvicorn#3149).
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener
