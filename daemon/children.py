"""Processes of attempts as the daemon sees them: known by identity, watched by pidfd, asked to end by signal.

A shim is often no child of this daemon (an earlier one started it, or the warm process did), so nothing here waits
for children: a pidfd tells of the death of any process, and how it went stands in `status.json`.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pipeline.process import procfs, shim
from store.home import AttemptDir


@dataclass(frozen=True, kw_only=True)
class ShimId:
    """One process, for ever: a pid alone is used again."""

    boot_id: str
    pid: int
    created: float
    """Clock ticks since boot."""

    @classmethod
    def of_pid(cls, pid: int) -> Self | None:
        """Of a process that is here now; None if it has gone."""
        created = procfs.start_ticks(pid)
        return None if created is None else cls(boot_id=procfs.boot_id(), pid=pid, created=created)

    @classmethod
    def gone(cls, pid: int) -> Self:
        """Of a process that had this pid and ended before anybody looked."""
        return cls(boot_id=procfs.boot_id(), pid=pid, created=-1.0)

    def age(self) -> float:
        """Seconds since it started, by a clock that nobody sets."""
        return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - self.created / os.sysconf("SC_CLK_TCK"))

    def is_alive(self) -> bool:
        return (
            self.boot_id == procfs.boot_id()
            and procfs.start_ticks(self.pid) == self.created
            and procfs.is_alive(self.pid)
        )


@dataclass(frozen=True, kw_only=True)
class Status:
    """What a shim wrote about its attempt (see pipeline/process/shim.py)."""

    shim: ShimId
    nonce: str
    ended: bool
    asked: int
    """How often its end was asked for."""
    exit_code: int | None
    signal: int | None
    ended_at: float | None
    """Unix seconds."""
    peak_rss: int
    cpu_s: float

    @classmethod
    def read(cls, directory: AttemptDir) -> Self | None:
        """None when no shim has written one, or what is there is not one."""
        try:
            raw = json.loads(directory.status.read_bytes())
            return cls(
                shim=ShimId(boot_id=raw["boot_id"], pid=raw["pid"], created=raw["created"]),
                nonce=raw["nonce"],
                ended=raw["state"] == "ended",
                asked=raw["asked"],
                exit_code=raw["exit_code"],
                signal=raw["signal"],
                ended_at=raw["ended_at"],
                peak_rss=raw["peak_rss"],
                cpu_s=raw["cpu_s"],
            )
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None


class Child:
    """A living shim, held by its pidfd: signals cannot hit a stranger that has got its pid."""

    def __init__(self, identity: ShimId, descriptor: int, started: subprocess.Popen[bytes] | None) -> None:
        """Use `hold`."""
        self.identity = identity
        self.descriptor = descriptor
        """Readable once the process has ended."""
        self._started = started

    @classmethod
    def hold(cls, identity: ShimId, started: subprocess.Popen[bytes] | None = None) -> Self | None:
        """None when it has gone already."""
        try:
            descriptor = os.pidfd_open(identity.pid)
        except ProcessLookupError:
            return None
        if not identity.is_alive():
            os.close(descriptor)
            _reap(started)
            return None
        return cls(identity, descriptor, started)

    def ask_to_end(self) -> None:
        """SIGTERM: the first gives the worker its grace, the second ends it."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.descriptor, signal.SIGTERM)

    def close(self) -> None:
        """After its death: lets the kernel forget it."""
        os.close(self.descriptor)
        _reap(self._started)


def _reap(started: subprocess.Popen[bytes] | None) -> None:
    if started is not None:
        started.wait()


def start_cold(directory: AttemptDir, errors: int | None = None) -> tuple[ShimId, subprocess.Popen[bytes]]:
    """A new shim in a session of its own; the daemon's death does not touch it. Raises OSError."""
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", shim.__file__, str(directory.root)],
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL if errors is None else errors,
    )
    identity = ShimId.of_pid(process.pid)
    assert identity is not None, "a child that was not waited for keeps its pid"
    return identity, process


def fence(directory: AttemptDir) -> bool:
    """Makes sure that no shim lives in this attempt, and that none ever will; False if one does.

    The lock says so without any clock or heartbeat.
    """
    descriptor = os.open(directory.lock, os.O_RDWR | os.O_CLOEXEC | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # A shim that comes late finds no order and goes away.
        with contextlib.suppress(FileNotFoundError):
            directory.spec.rename(directory.root / "spec.done.json")
        return True
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)


def sweep(nonce: str, session: ShimId | None) -> list[int]:
    """Kills what a dead shim could not: processes of its session, or with its nonce in their environment."""
    if session is not None and procfs.start_ticks(session.pid) not in (None, session.created):
        session = None  # its number is another's by now, and that one's session too
    marker = f"{shim.NONCE_VARIABLE}={nonce}".encode()
    killed = []
    for pid in procfs.all_pids():
        if pid == os.getpid() or not _belongs(pid, marker, session):
            continue
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
            killed.append(pid)
    return killed


def _belongs(pid: int, marker: bytes, session: ShimId | None) -> bool:
    if session is not None and procfs.session_of(pid) == session.pid:
        return True
    try:
        return marker in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return False
