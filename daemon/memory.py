"""Whether memory ran out: asked when a process was killed and nobody here did it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from daemon.children import Status

LARGE_SHARE: Final = 0.6
"""A process that had this share of the machine's memory and was killed from nowhere is taken for a victim of the OOM
killer when the kernel's own count cannot be read."""


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """The kernel's count of processes killed for memory (whole machine, cgroups included) when the attempt began."""

    kills: int | None

    @classmethod
    def now(cls) -> Self:
        return cls(kills=oom_kills())

    def verdict(self, status: Status | None) -> str | None:
        """What says that memory ran out, or None."""
        if status is not None and status.ended and status.signal != 9:
            return None
        kills = oom_kills()
        return judge(self.kills, kills, status.peak_rss if status is not None else 0, machine_memory())


def judge(before: int | None, after: int | None, peak_rss: int, total: int) -> str | None:
    """From two counts of kills, and bytes: the sign that memory ran out, or None."""
    peak = f"peak RSS {peak_rss / 1e9:.1f} of {total / 1e9:.1f} GB"
    if before is not None and after is not None:
        return f"the kernel killed for memory, {peak}" if after > before else None
    return peak if peak_rss > LARGE_SHARE * total else None


def oom_kills() -> int | None:
    """Processes killed for memory since boot; None where the kernel does not say (before Linux 4.13)."""
    return _number(Path("/proc/vmstat"), r"^oom_kill (\d+)$")


def machine_memory() -> int:
    """Bytes."""
    return 1024 * (_number(Path("/proc/meminfo"), r"^MemTotal: +(\d+) kB$") or 0)


def _number(file: Path, pattern: str) -> int | None:
    found = re.search(pattern, file.read_text(), re.MULTILINE)
    return int(found[1]) if found else None
