"""What disks and networks carry, in bytes a second: the difference between two counts of the kernel's."""

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


@dataclass(frozen=True)
class Rates:
    """Bytes a second; None where the kernel does not count, or has counted only once so far."""

    received: float | None
    sent: float | None
    read: float | None
    written: float | None


def count() -> Counts:
    """The kernel's counts now."""
    networks = [each for name, each in psutil.net_io_counters(pernic=True).items() if not name.startswith(_NOT_COUNTED)]
    disks = psutil.disk_io_counters()
    return Counts(
        received=sum(each.bytes_recv for each in networks) if networks else None,
        sent=sum(each.bytes_sent for each in networks) if networks else None,
        read=disks.read_bytes if disks else None,
        written=disks.write_bytes if disks else None,
    )


def rates(before: Counts | None, after: Counts, seconds: float) -> Rates:
    """What flowed between two counts. A count that went back (an interface is gone) says nothing."""

    def rate(old: int | None, new: int | None) -> float | None:
        return (new - old) / seconds if old is not None and new is not None and new >= old and seconds > 0 else None

    if before is None:
        return Rates(None, None, None, None)
    return Rates(
        received=rate(before.received, after.received),
        sent=rate(before.sent, after.sent),
        read=rate(before.read, after.read),
        written=rate(before.written, after.written),
    )
