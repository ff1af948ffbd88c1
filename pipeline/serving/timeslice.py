"""For how long Linux lets a thread compute before it looks for another: who asks for little has it sooner.

A thread that wakes waits until the slice of the one that computes is over, some three milliseconds, unless its own is
the shorter one: then it goes first at once. Their shares of the processor stay the same. Linux has this since 6.12
(`sched_runtime` of sched_setattr(2) for ordinary threads, kernel/sched/fair.c, PREEMPT_SHORT); an older one takes the
same call and changes nothing.
"""

from __future__ import annotations

import ctypes
import platform
import sys
from typing import Final

SHORTEST_NS: Final = 100_000
"""Linux gives no less. At 0.5 ms a thread waited as long as without any of this (measured, 6.18)."""
USUAL: Final = 0
"""As Linux has it for everybody."""
_NUMBERS: Final = {"x86_64": (314, 315), "aarch64": (274, 275)}
"""System calls: sched_setattr, sched_getattr."""


class _Attributes(ctypes.Structure):
    """`struct sched_attr`, as it was at first."""

    _fields_ = (
        ("size", ctypes.c_uint32),
        ("policy", ctypes.c_uint32),
        ("flags", ctypes.c_uint64),
        ("nice", ctypes.c_int32),
        ("priority", ctypes.c_uint32),
        ("runtime", ctypes.c_uint64),
        ("deadline", ctypes.c_uint64),
        ("period", ctypes.c_uint64),
    )


def ask_for_slice(nanoseconds: int) -> None:
    """For the thread that calls it and those that it starts later. Where the system knows no such thing, nothing."""
    attributes = _attributes()
    if attributes is not None:
        attributes.runtime = nanoseconds
        _call(0, 0, ctypes.byref(attributes), 0)


def slice_ns() -> int | None:
    """Nanoseconds of the slice of the thread that calls it. None: the system does not say."""
    attributes = _attributes()
    return attributes.runtime or None if attributes is not None else None


def _attributes() -> _Attributes | None:
    attributes = _Attributes(size=ctypes.sizeof(_Attributes))
    refused = _call(1, 0, ctypes.byref(attributes), ctypes.sizeof(attributes), 0)
    return None if refused else attributes


def _call(which: int, *arguments: object) -> int:
    """0, or -1 where it is refused or not known."""
    numbers = _NUMBERS.get(platform.machine()) if sys.platform == "linux" else None
    return -1 if numbers is None else int(ctypes.CDLL(None).syscall(numbers[which], *arguments))
