"""Cores of the processor that serving has to itself (`serving.cores`): its processes run there, and runs keep off."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from store.errors import ProjectError


def available() -> set[int]:
    """The cores that this process may run on: a container, or whoever started it, may have fewer than the machine."""
    return os.sched_getaffinity(0)


def require_cores(wanted: Collection[int], there: Collection[int]) -> None:
    """Raises ProjectError for cores that are not there."""
    absent = sorted(set(wanted) - set(there))
    if absent:
        some = ", ".join(str(core) for core in absent)
        raise ProjectError(
            f"there is no core {some} here; there are {_listed(there)}",
            where="serving.cores",
            remedy=f"name some of {_listed(there)}, or leave it out: then nothing is pinned",
        )


def left_for_runs(reserved: Collection[int], there: Collection[int]) -> set[int]:
    """Where runs go while endpoints answer: all but the reserved ones; where that leaves none, everywhere."""
    return set(there) - set(reserved) or set(there)


def pin(cores: Collection[int]) -> None:
    """This process, with all threads that it has and will have. Raises OSError if none of the cores is there."""
    for thread in Path("/proc/self/task").iterdir():
        os.sched_setaffinity(int(thread.name), cores)


def _listed(cores: Collection[int]) -> str:
    """`0 to 7`, or `0, 2, 3`."""
    ordered = sorted(cores)
    if len(ordered) > 2 and ordered == list(range(ordered[0], ordered[-1] + 1)):
        return f"{ordered[0]} to {ordered[-1]}"
    return ", ".join(str(core) for core in ordered)
