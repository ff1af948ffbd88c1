"""What a process and everything that it started use of the machine."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import psutil


@dataclass(frozen=True, kw_only=True)
class Usage:
    """One measurement of a process with its children."""

    cpu_percent: float
    """Of one CPU since the measurement before; the first time since the process began."""
    cpu_seconds: float
    """Of those that live."""
    rss: int
    """Bytes."""
    pids: list[int]
    began: float
    """Unix seconds."""


@dataclass
class Tree:
    """A process and its children, over time."""

    pid: int
    _spent: Mapping[tuple[int, float], float] = field(default_factory=dict)
    _at: float | None = None
    """Monotonic seconds of the measurement before."""

    def measure(self, *, children: bool = True) -> Usage | None:
        """None when the process is gone."""
        try:
            root = psutil.Process(self.pid)
            processes = [root, *(root.children(recursive=True) if children else [])]
            began = root.create_time()
        except psutil.NoSuchProcess:
            return None
        spent: dict[tuple[int, float], float] = {}
        rss = 0
        for process in processes:
            try:
                times, key = process.cpu_times(), (process.pid, process.create_time())
                spent[key] = times.user + times.system
                rss += process.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        now = time.monotonic()
        elapsed = now - self._at if self._at is not None else time.time() - began
        used = sum(seconds - self._spent.get(key, 0.0) for key, seconds in spent.items())
        self._spent, self._at = spent, now
        return Usage(
            cpu_percent=round(100 * used / max(elapsed, 1e-3), 1),
            cpu_seconds=round(sum(spent.values()), 2),
            rss=rss,
            pids=[pid for pid, _ in spent],
            began=began,
        )


class Trees:
    """Many of them, each measured against the last time that it was asked for."""

    def __init__(self) -> None:
        self._known: dict[int, Tree] = {}

    def measure(self, pids: Mapping[int, bool]) -> dict[int, Usage]:
        """pid → use, of those that live; the value says whether its children count. Others are forgotten."""
        self._known = {pid: self._known.get(pid) or Tree(pid) for pid in pids}
        found = {pid: tree.measure(children=pids[pid]) for pid, tree in self._known.items()}
        return {pid: usage for pid, usage in found.items() if usage is not None}
