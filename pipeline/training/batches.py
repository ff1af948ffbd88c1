"""Which rows make which optimiser step, and how they get to the device.

The rows of a step are a function of (seed, epoch, step) alone. So a resumed run replays nothing, the length of a
chunk cannot change a result, and the rows of a bad step can be named long after it ran.
"""

from __future__ import annotations

import mmap
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np

Placement = Literal["host", "device"]
_ALIGNMENT = 64
"""Bytes. XLA on a CPU takes a host buffer over without a copy when it starts at a multiple of this."""


Column = np.ndarray | jax.Array


class Rows(NamedTuple):
    """Encoded rows of one part, or a batch of them; a JAX pytree."""

    numeric: Column
    """float32 [n, d], NaN where the value is missing."""
    categorical: Column
    """int32 [n, c], 0 missing, 1 unseen, 2… the vocabulary."""
    target: Column
    """float32 [n] (binary 0 or 1, regression) or int32 [n] (multiclass)."""

    @property
    def size(self) -> int:
        return int(np.shape(self.target)[0])

    @property
    def nbytes(self) -> int:
        return sum(int(np.asarray(column).nbytes) for column in self)

    def take(self, ids: np.ndarray) -> Rows:
        """The rows with these numbers, on the host."""
        return Rows(*(np.take(np.asarray(column), ids, axis=0) for column in self))


@dataclass(frozen=True)
class BatchPlan:
    """The order of rows: a permutation an epoch, cut into batches of one size.

    The last batch of an epoch is filled up with its own rows once more, which then count with weight zero: a second
    shape would be a second compilation. Its own rows, because even at weight zero a bad row spoils a gradient.
    """

    rows: int
    batch: int
    seed: int
    _orders: dict[int, np.ndarray] = field(default_factory=dict, compare=False, repr=False)

    @property
    def steps_per_epoch(self) -> int:
        return -(-self.rows // self.batch)

    def order(self, epoch: int) -> np.ndarray:
        """int32 [rows], the permutation of an epoch (counted from 0), from PCG64 seeded with (seed, epoch)."""
        if epoch not in self._orders:
            self._orders.clear()
            generator = np.random.default_rng([self.seed % 2**64, epoch])
            # As `permutation` orders them, at a third of its memory: this is what a run holds a row on disk.
            self._orders[epoch] = order = np.arange(self.rows, dtype=np.int32)
            generator.shuffle(order)
        return self._orders[epoch]

    def live(self, step: int) -> int:
        """Rows of a step that count; the others are filling."""
        return int(self.lives(step, 1)[0])

    def lives(self, first: int, steps: int) -> np.ndarray:
        """int [steps], `live` of steps first … first + steps - 1."""
        starts = np.arange(first, first + steps) % self.steps_per_epoch * self.batch
        return np.minimum(self.batch, self.rows - starts)

    def ids(self, step: int) -> np.ndarray:
        """int32 [batch], the row numbers of a step (counted from 0 over the whole run)."""
        return np.asarray(self.chunk(step, 1)[0])

    def chunk(self, first: int, steps: int) -> np.ndarray:
        """int32 [steps, batch], the row numbers of steps first … first + steps - 1."""
        pieces = [np.empty((0, self.batch), np.int32)]
        while steps > 0:
            epoch, place = divmod(first, self.steps_per_epoch)
            here = min(steps, self.steps_per_epoch - place)
            numbers = self.order(epoch)[place * self.batch : (place + here) * self.batch]
            if len(numbers) < here * self.batch:
                own = numbers[(here - 1) * self.batch :]
                numbers = np.concatenate([numbers, np.resize(own, here * self.batch - len(numbers))])
            pieces.append(numbers.reshape(here, self.batch))
            first, steps = first + here, steps - here
        return np.concatenate(pieces)


class Chunk(NamedTuple):
    """What one call of the compiled chunk works on; a JAX pytree.

    Of arrays on the host: as arguments of a compiled call they reach the device for a tenth of what `device_put` costs.
    """

    first: np.int32 | jax.Array
    """int32 []: number of the first step."""
    steps: np.int32 | jax.Array
    """int32 []: how many, at most capacity."""
    slots: Rows | Column
    """Rows [capacity, batch, …], or int32 [capacity, batch] numbers of resident rows."""
    live: Column
    """int32 [capacity]: rows of each batch that count."""


class Feed(Protocol):
    """Gathers the batches of a chunk for the device. `load` runs while the device works on the chunk before."""

    resident: Rows | None
    """What stays on the device all through the run; None if rows come with each chunk."""

    def load(self, first: int, steps: int) -> Chunk:
        """The batches of steps first … first + steps - 1."""
        ...


class HostFeed:
    """Rows lie in host memory; a chunk's rows are gathered here.

    Three sets of buffers take turns. A set is filled again only after the chunk that read it was itself read back
    (the loop keeps at most two chunks under way), so the device may use the memory in place.

    Rows on disk are gathered by several threads: each waits for one page at a time, and a disk serves many at once.
    """

    resident: Rows | None = None
    SETS = 3
    READERS = 16
    """Threads that gather rows on disk."""

    def __init__(self, rows: Rows, plan: BatchPlan, capacity: int) -> None:
        self._rows = Rows(*(np.ascontiguousarray(column) for column in rows))
        self._plan = plan
        size = capacity * plan.batch
        self._buffers = [
            Rows(*(_aligned((size, *np.shape(c)[1:]), np.asarray(c).dtype) for c in self._rows))
            for _ in range(self.SETS)
        ]
        self._capacity = capacity
        self._turn = 0
        self._readers = ThreadPoolExecutor(self.READERS, "gather") if _told_random(rows) else None

    def load(self, first: int, steps: int) -> Chunk:
        buffers = self._buffers[self._turn]
        self._turn = (self._turn + 1) % self.SETS
        ids = self._plan.chunk(first, steps).reshape(-1)
        share = -(-len(ids) // self.READERS) if self._readers else len(ids)
        shares = [slice(start, min(start + share, len(ids))) for start in range(0, len(ids), share or 1)]

        def gather(part: slice) -> None:
            for column, buffer in zip(self._rows, buffers, strict=True):
                np.take(np.asarray(column), ids[part], axis=0, out=np.asarray(buffer)[part], mode="clip")

        for _ in (self._readers.map if self._readers else map)(gather, shares):
            pass
        slots = Rows(*(np.asarray(b).reshape(self._capacity, self._plan.batch, *np.shape(b)[1:]) for b in buffers))
        return _chunk(self._plan, first, steps, slots, self._capacity)


class DeviceFeed:
    """All rows lie on the device; a chunk brings only row numbers, and each step gathers its own rows."""

    def __init__(self, rows: Rows, plan: BatchPlan, capacity: int) -> None:
        self.resident: Rows | None = jax.device_put(rows)
        self._plan = plan
        self._capacity = capacity

    def load(self, first: int, steps: int) -> Chunk:
        ids = np.zeros((self._capacity, self._plan.batch), np.int32)
        ids[:steps] = self._plan.chunk(first, steps)
        return _chunk(self._plan, first, steps, ids, self._capacity)


def pick(resident: Rows | None, slot: Rows | jax.Array) -> Rows:
    """Inside the compiled step: the batch of a slot, whichever feed filled it.

    Both feeds give the same rows; XLA may fuse the gather into what follows, so results agree to rounding only.
    """
    if resident is None:
        assert isinstance(slot, Rows)
        return slot
    assert isinstance(slot, jax.Array)
    return Rows(*(jnp.take(jnp.asarray(column), slot, axis=0) for column in resident))


def choose_placement(
    choice: Literal["auto", "host", "device"], *, rows_bytes: int, platform: str, memory: int | None
) -> Placement:
    """Where the rows go. `memory`: the device's bytes, None if unknown.

    On a CPU the host's gather is faster than XLA's (measured 1.3 times), so `auto` is host there; on an accelerator
    `auto` is the device where the rows take at most a quarter of its memory.
    """
    if choice != "auto":
        return choice
    fits = memory is None or rows_bytes * 4 <= memory
    return "device" if platform != "cpu" and fits else "host"


def make_feed(placement: Placement, rows: Rows, plan: BatchPlan, capacity: int) -> Feed:
    return (DeviceFeed if placement == "device" else HostFeed)(rows, plan, capacity)


def _chunk(plan: BatchPlan, first: int, steps: int, slots: Rows | np.ndarray, capacity: int) -> Chunk:
    live = np.zeros(capacity, np.int32)
    live[:steps] = plan.lives(first, steps)
    return Chunk(np.int32(first), np.int32(steps), slots, live)


def _told_random(rows: Rows) -> bool:
    """Whether the rows are mapped files; then the kernel is told not to read a row's neighbours as well."""
    mapped = [column for column in rows if isinstance(column, np.memmap)]
    for column in mapped:
        column._mmap.madvise(mmap.MADV_RANDOM)  # type: ignore[attr-defined]  # numpy has no public name for it
    return bool(mapped)


def _aligned(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """An empty array at an aligned address; its untouched pages cost nothing."""
    size = int(np.prod(shape)) * dtype.itemsize
    raw = np.empty(size + _ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % _ALIGNMENT
    return raw[start : start + size].view(dtype).reshape(shape)
