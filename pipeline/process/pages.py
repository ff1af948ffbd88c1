"""How the memory that a run computes in comes from Linux, which fills each page with zeros at its first touch."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from typing import Final

SMALL_PAGES: Final = {"MIMALLOC_ALLOW_THP": "0"}
"""For the environment of a program that is about to load Arrow.

Its allocator asks Linux for pages of 2 MB and spreads what it holds over many of them, and each is filled with zeros as
a whole at its first touch: a Parquet file of 45 MB, read once, costs 0.15 to 0.28 s of CPU so and 0.11 to 0.16 with
pages of 4 kB (measured, pyarrow 26).
"""
_MMAP_THRESHOLD: Final = -3
_TRIM_THRESHOLD: Final = -1
"""Numbers of glibc's malloc.h."""
_KEPT: Final = {
    "MALLOC_MMAP_THRESHOLD_": (_MMAP_THRESHOLD, 32 * 2**20),
    "MALLOC_TRIM_THRESHOLD_": (_TRIM_THRESHOLD, 64 * 2**20),
}
"""By the variable with which an operator sets the same; bytes. 32 MB is the most that glibc takes for the first."""


def keep_freed_memory(environment: Mapping[str, str]) -> None:
    """Has NumPy's arrays made in memory that others were freed from, where the C library is glibc.

    By itself it gives each array of 128 kB or more back to Linux when it is freed, and 64 MB more stay with this. To
    profile a window of a million rows costs 0.20 s of CPU so and 0.14 with it (40,000 first touches and 2,000). What
    the operator set stays.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    for variable, (parameter, size) in _KEPT.items():
        if mallopt is not None and variable not in environment:
            mallopt(parameter, size)
