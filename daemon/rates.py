"""How busy the processors are, and what disks and networks carry: the difference between two counts of the kernel's.

Not `psutil.cpu_percent`, which counts from the same thread's last call: in a pool of threads it says 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import psutil

_NOT_COUNTED: Final = ("lo", "ifb", "veth", "docker", "br-", "virbr", "tun", "tap")
"""Interfaces that carry what stays here, or what another one carries as well."""


@dataclass(frozen=True)
class Counts:
    """Bytes since the machine's start; None where the kernel does not count."""

    received: int | None
    sent: int | None
    read: int | None
    written: int | None
    busy: float = 0.0
    """Seconds that all processors together have worked."""
    idle: float = 0.0


@dataclass(frozen=True)
class Rates:
    """Bytes a second; None where the kernel does not count, or has counted only once so far."""

    received: float | None
    sent: float | None
    read: float | None
    written: float | None
    cpu_percent: float = 0.0
    """Of all processors."""


def count() -> Counts:
    """The kernel's counts now."""
    networks = [each for name, each in psutil.net_io_counters(pernic=True).items() if not name.startswith(_NOT_COUNTED)]
    disks, times = psutil.disk_io_counters(), psutil.cpu_times()
    idle = times.idle + getattr(times, "iowait", 0.0)
    guests = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)  # which user and nice hold as well
    return Counts(
        received=sum(each.bytes_recv for each in networks) if networks else None,
        sent=sum(each.bytes_sent for each in networks) if networks else None,
        read=disks.read_bytes if disks else None,
        written=disks.write_bytes if disks else None,
        busy=sum(times) - guests - idle,
        idle=idle,
    )


def rates(before: Counts | None, after: Counts, seconds: float) -> Rates:
    """What flowed between two counts. A count that went back (an interface is gone) says nothing."""

    def rate(old: int | None, new: int | None) -> float | None:
        return (new - old) / seconds if old is not None and new is not None and new >= old and seconds > 0 else None

    if before is None:
        return Rates(None, None, None, None)
    busy, idle = (max(0.0, new - old) for old, new in ((before.busy, after.busy), (before.idle, after.idle)))
    return Rates(
        received=rate(before.received, after.received),
        sent=rate(before.sent, after.sent),
        read=rate(before.read, after.read),
        written=rate(before.written, after.written),
        cpu_percent=round(100 * busy / (busy + idle), 1) if busy + idle > 0 else 0.0,
    )
