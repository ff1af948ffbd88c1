"""What makes a process the daemon of a home: the lock, the socket, knowing who calls, and telling when it is ready."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pwd
import socket
import struct
import time
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Self

from store.errors import DaemonRunning, StorageError
from store.home import Home
from store.sockets import short_path

_CREDENTIALS: Final = struct.Struct("3i")
"""`struct ucred`: pid, uid, gid (unix(7), SO_PEERCRED)."""


@dataclass(frozen=True, kw_only=True)
class Owner:
    """Who holds a home: what stands in `daemon.lock`."""

    pid: int
    since: str
    """UTC, ISO 8601."""
    project: str
    version: str


@dataclass(frozen=True, kw_only=True)
class Peer:
    """The process at the other end of a unix socket, as the kernel knows it."""

    pid: int
    uid: int
    user: str


class DaemonLock:
    """The lock on `daemon.lock`. The kernel frees it with its process, so it cannot be stale."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def take(cls, home: Home, owner: Owner) -> Self:
        """Raises DaemonRunning, naming the owner, when another process holds the home."""
        descriptor = os.open(home.daemon_lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        # A reader in `owner_of` holds the lock for an instant; only a daemon still holds it after a few tries.
        for pause in (0.01, 0.05, 0.1, None):
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if pause is None:
                    os.close(descriptor)
                    raise _held(home) from None
                time.sleep(pause)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(asdict(owner)).encode() + b"\n", 0)
        return cls(descriptor)

    def release(self) -> None:
        os.close(self._descriptor)


def owner_of(home: Home) -> Owner | None:
    """Who holds the home now; None when nobody does."""
    try:
        descriptor = os.open(home.daemon_lock, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read_owner(home)
    finally:
        os.close(descriptor)
    return None


def _read_owner(home: Home) -> Owner:
    """What the lock file says; an owner between taking the lock and writing the file is known only by that."""
    try:
        return Owner(**json.loads(home.daemon_lock.read_bytes()))
    except (OSError, ValueError, TypeError):
        return Owner(pid=0, since="a moment ago", project="unknown", version="unknown")


def _held(home: Home) -> DaemonRunning:
    owner = _read_owner(home)
    return DaemonRunning(
        f"this home already has its daemon: pid {owner.pid or 'unknown'}, since {owner.since}, project {owner.project}",
        where=str(home.root),
        remedy="use it (`trainshed status`), or stop it first with `trainshed down`",
    )


def prepare_home(home: Home) -> None:
    """Makes the home, for its owner only, and makes sure that it can be written. Raises StorageError."""
    try:
        home.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = home.root / f".probe-{os.getpid()}"
        probe.touch(mode=0o600)
        probe.unlink()
    except OSError as error:
        raise StorageError(
            f"the home cannot be written: {error.strerror}",
            where=str(home.root),
            remedy="mount it for writing or mend its permissions, or name another place with TRAINSHED_HOME",
        ) from None


def bind_socket(path: Path) -> socket.socket:
    """A listening unix socket of mode 0600. It replaces an old one, so only the holder of the lock may call this."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # The umask makes the mode right from the first moment; a chmod after the bind would leave a gap.
    former = os.umask(0o177)
    try:
        with short_path(path) as address:
            listener.bind(address)
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise StorageError(
            f"no socket can be made here: {error.strerror}",
            where=str(path),
            remedy="put the home on a local file system, by TRAINSHED_HOME",
        ) from None
    finally:
        os.umask(former)
    return listener


def bind_tcp(address: str) -> socket.socket:
    """A listening TCP socket on `HOST:PORT`. Raises StorageError naming the address when it is taken."""
    host, _, port = address.rpartition(":")
    try:
        if not 0 <= int(port) <= 65_535:
            raise ValueError(f"{port} is not a port")
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host.strip("[]"), int(port)), family=family)
    except (OSError, ValueError) as error:
        raise StorageError(
            f"cannot listen there: {error}", where=address, remedy="name a free address as --listen HOST:PORT"
        ) from None


def peer_of(connection: socket.socket) -> Peer | None:
    """Who is at the other end; None for a connection that is not a unix socket."""
    if connection.family != socket.AF_UNIX:
        return None
    pid, uid, _ = _CREDENTIALS.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
    return Peer(pid=pid, uid=uid, user=user_name(uid))


def user_name(uid: int) -> str:
    """The login name of a user id; in a container without such an entry, the number itself."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def tell_service_manager(message: str, address: str | None) -> None:
    """`READY=1`, `STOPPING=1` … to the service manager at `address` ($NOTIFY_SOCKET), if any; see sd_notify(3)."""
    if not address:
        return
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
        out.sendto(message.encode(), "\0" + address[1:] if address.startswith("@") else address)


def utc_second(at: datetime) -> str:
    """A time as it stands in the lock file."""
    return at.isoformat(timespec="seconds")
