"""Who runs on this machine, from /proc. Standard library only: the shim uses it.

A process id alone names nothing (ids are used again): a process is (boot id, pid, start in ticks).
"""

from __future__ import annotations

import os


def boot_id() -> str:
    """Names this boot of the machine: process ids of another one mean nothing."""
    with open("/proc/sys/kernel/random/boot_id") as file:
        return file.read().strip()


def start_ticks(pid: int) -> float | None:
    """When a process started, in clock ticks since boot (no clock change moves it); None if it is gone."""
    fields = _stat_fields(pid)
    return None if fields is None else float(fields[19])


def parent_of(pid: int) -> int | None:
    fields = _stat_fields(pid)
    return None if fields is None else int(fields[1])


def session_of(pid: int) -> int | None:
    fields = _stat_fields(pid)
    return None if fields is None else int(fields[3])


def is_alive(pid: int) -> bool:
    """Whether a process runs: a zombie does not."""
    fields = _stat_fields(pid)
    return fields is not None and fields[0] not in {"Z", "X"}


def all_pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _stat_fields(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat after the command's name: state, ppid, pgrp, session … (proc(5))."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].decode().split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def descendants(ancestor: int) -> list[int]:
    """All living processes below `ancestor`, whatever group or session they moved to."""
    children: dict[int, list[int]] = {}
    for pid in all_pids():
        parent = parent_of(pid)
        if parent is not None:
            children.setdefault(parent, []).append(pid)
    found: list[int] = []
    pending = [ancestor]
    while pending:
        below = children.get(pending.pop(), [])
        found += below
        pending += below
    return found
