"""Which waiting runs start now: a pure choice over pools, devices and the state of the box."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

GPU_USABLE: Final = 0.92
"""Share of a GPU's memory that leases may add up to; the rest is for the CUDA libraries (several hundred MB each)."""


@dataclass(frozen=True, kw_only=True)
class Lease:
    """A share of one GPU's memory."""

    gpu: int
    memory: float

    def as_json(self) -> dict[str, Any]:
        return {"device": f"gpu:{self.gpu}", "memory": self.memory}

    @classmethod
    def from_json(cls, value: Mapping[str, Any] | None) -> Self | None:
        if value is None:
            return None
        return cls(gpu=int(str(value["device"]).removeprefix("gpu:")), memory=float(value["memory"]))


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A run that could start if there is room: due, and everything it depends on ended well."""

    run: int
    job: str
    priority: int
    pool: str
    slots: int
    gpu_memory: float | None
    """Share of a GPU it wants; None: it computes without one."""


@dataclass(frozen=True, kw_only=True)
class Busy:
    """A run that has a process."""

    run: int
    job: str
    pool: str
    slots: int
    lease: Lease | None


@dataclass(frozen=True, kw_only=True)
class Start:
    run: int
    lease: Lease | None


@dataclass(frozen=True, kw_only=True)
class Choice:
    starts: list[Start]
    waits: dict[int, str]
    """Run → why it does not start now, in a sentence."""


def choose(
    waiting: Sequence[Waiting],
    busy: Sequence[Busy],
    pools: Mapping[str, int],
    gpus: Sequence[int],
    degraded: str | None,
) -> Choice:
    """Highest priority first, then oldest.

    In a pool nobody overtakes a run that waits for slots, so that a wide run is not starved by narrow ones. With no
    GPU on the box a run that wants one starts too: its worker falls back or refuses, and says why.
    """
    if degraded is not None:
        return Choice(starts=[], waits={w.run: f"no run is started: {degraded}" for w in waiting})
    room = _Room(busy, pools, gpus)
    starts: list[Start] = []
    waits: dict[int, str] = {}
    for one in sorted(waiting, key=lambda w: (-w.priority, w.run)):
        reason = room.refusal(one)
        if reason is None:
            starts.append(Start(run=one.run, lease=room.take(one)))
        else:
            waits[one.run] = reason
    return Choice(starts=starts, waits=waits)


class _Room:
    """What is left, while a choice is made."""

    def __init__(self, busy: Sequence[Busy], pools: Mapping[str, int], gpus: Sequence[int]) -> None:
        self._sizes = pools
        self._used = dict.fromkeys(pools, 0)
        self._memory = dict.fromkeys(gpus, GPU_USABLE)
        self._closed: dict[str, int] = {}
        for run in busy:
            self._used[run.pool] = self._used.get(run.pool, 0) + run.slots
            if run.lease is not None and run.lease.gpu in self._memory:
                self._memory[run.lease.gpu] -= run.lease.memory

    def refusal(self, run: Waiting) -> str | None:
        size = self._sizes.get(run.pool)
        if size is None:
            return f"there is no pool {run.pool}: the project file has changed since it was queued"
        full = f"pool {run.pool} is full ({self._used[run.pool]} of {size})"
        if run.pool in self._closed:
            # With no slot left, who is first in the queue says nothing, and would be another one after each start.
            return full if self._used[run.pool] >= size else f"{full}, run {self._closed[run.pool]} is before it"
        if self._used[run.pool] + min(run.slots, size) > size:
            self._closed[run.pool] = run.run
            return full
        if run.gpu_memory is not None and self._memory and self._lease(run.gpu_memory) is None:
            free = ", ".join(f"gpu {gpu}: {max(0.0, share):.2f}" for gpu, share in self._memory.items())
            return f"waits for {run.gpu_memory:.2f} of a GPU's memory (free: {free})"
        return None

    def take(self, run: Waiting) -> Lease | None:
        self._used[run.pool] += min(run.slots, self._sizes[run.pool])
        lease = self._lease(run.gpu_memory) if run.gpu_memory is not None else None
        if lease is not None:
            self._memory[lease.gpu] -= lease.memory
        return lease

    def _lease(self, share: float) -> Lease | None:
        """On the GPU with the most room."""
        wanted = min(share, GPU_USABLE)
        gpu = max(self._memory, key=lambda g: self._memory[g], default=None)
        if gpu is None or self._memory[gpu] < wanted - 1e-9:
            return None
        return Lease(gpu=gpu, memory=wanted)
