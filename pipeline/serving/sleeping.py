"""A worker's models that nobody asks: what they have loaded goes, and comes back with the next request.

A load is shared by all who wait for it. It goes before what is loaded for promotions, and compiles nothing: what a
version needs lies pressed on the disk.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Protocol

from pipeline.serving.batcher import Batcher
from pipeline.serving.channel import Refused
from pipeline.serving.dozing import Dozing
from pipeline.serving.loaded import LoadedVersion
from pipeline.serving.refusal import Refusal, busy
from pipeline.serving.shelf import Shelf


class Read(Protocol):
    def __call__(self, digest: str, *, hurry: bool) -> Awaitable[LoadedVersion]:
        """A version, loaded and golden. `hurry`: requests wait for it. Raises Refused."""


class Sleeping:
    """Belongs to the thread of its event loop."""

    def __init__(
        self,
        shelf: Shelf,
        asked: MutableMapping[str, float],
        turn: asyncio.Lock,
        read: Read,
        *,
        queue_rows: int,
        on_sleep: Callable[[str], None],
        on_cold: Callable[[str, float], None],
        on_woken: Callable[[], Awaitable[None]],
        clock: Callable[[], float],
    ) -> None:
        """`asked`: model → when it was asked last, on `clock`; `turn`: held by whoever changes the shelf.

        `on_sleep` lets go of what else holds a model's versions; `on_cold` hears what a model's first request waited
        for its answer, `on_woken` that requests have woken a model.
        """
        self._shelf = shelf
        self._asked = asked
        self._turn = turn
        self._read = read
        self._queue_rows = queue_rows
        self._on_sleep = on_sleep
        self._on_cold = on_cold
        self._on_woken = on_woken
        self._clock = clock
        self._coming: dict[tuple[str, int], asyncio.Future[Batcher | Refusal]] = {}
        self._loads: set[asyncio.Task[None]] = set()

    def uses(self) -> list[tuple[str, float | None, bool]]:
        """(model, seconds since it was asked, whether it is asleep), as `idle.Use` has it."""
        now = self._clock()
        return [
            (model, None if (at := self._asked.get(model)) is None else now - at, bool(self._shelf.asleep(model)))
            for model in self._shelf.snapshot.routes
        ]

    @property
    def asleep(self) -> list[str]:
        """Models of which nothing is loaded. One whose control is there answers, while the version before comes."""
        return [model for model in self._shelf.snapshot.routes if self._sleeps(model)]

    def _sleeps(self, model: str) -> bool:
        seats = self._shelf.seats_of(model)
        return bool(seats) and all(seat.asleep for seat in seats)

    async def rest(self, sleep: Sequence[str], wake: Sequence[str], idle_s: float) -> None:
        """What the supervisor has seen of all workers; what was asked here since then stays awake."""
        async with self._turn:
            for model in sleep:
                if self._is_idle(model, idle_s):
                    self._shelf.sleep(model, self._stand_in)
                    self._on_sleep(model)
            for model in wake:
                await self.bring(model, hurry=False)
        if sleep:
            await asyncio.get_running_loop().run_in_executor(None, give_back_memory)

    async def bring(self, model: str, *, hurry: bool) -> None:
        """Loads what is asleep of a model, control first; to be called with the turn.

        What cannot be loaded is missing from here on, with its reason.
        """
        for seat in self._shelf.asleep(model):
            outcome: Batcher | Refusal
            try:
                woken = self._shelf.wake(seat, await self._read(seat.digest, hurry=hurry))
                assert isinstance(woken.batcher, Batcher)
                outcome = woken.batcher
            except Refused as refused:
                self._shelf.lose(seat, str(refused))
                outcome = busy(f"version {seat.version} of {model} cannot be loaded again: {refused}")
            self._settle((model, seat.version), outcome)

    def _is_idle(self, model: str, idle_s: float) -> bool:
        at = self._asked.get(model)
        waiting = any(one.batcher.waiting_rows for one in self._shelf.seats.values() if one.model == model)
        return not waiting and (at is None or self._clock() - at >= idle_s)

    def _stand_in(self, model: str, version: int) -> Dozing:
        return Dozing(
            lambda: self._awake(model, version),
            queue_rows=self._queue_rows,
            on_cold=lambda seconds: self._on_cold(model, seconds),
        )

    async def _awake(self, model: str, version: int) -> Batcher:
        """Raises Refusal."""
        seat = self._shelf.seats.get((model, version))
        if seat is not None and isinstance(seat.batcher, Batcher):  # another one's load has just ended
            return seat.batcher
        if (model, version) not in self._coming:
            self._begin(model, version)
        outcome = await asyncio.shield(self._coming[model, version])
        if isinstance(outcome, Refusal):
            raise Refusal(outcome.status, outcome.message, outcome.retry_after)  # each waiter's own
        return outcome

    def _begin(self, model: str, version: int) -> None:
        keys = {(model, version), *((seat.model, seat.version) for seat in self._shelf.asleep(model))}
        loop = asyncio.get_running_loop()
        for key in keys - self._coming.keys():
            self._coming[key] = loop.create_future()
        task = loop.create_task(self._load(model, keys))
        self._loads.add(task)
        task.add_done_callback(self._loads.discard)

    async def _load(self, model: str, keys: set[tuple[str, int]]) -> None:
        try:
            async with self._turn:
                await self.bring(model, hurry=True)
                self._asked[model] = self._clock()  # else one whose load takes as long as its time sleeps at once again
        finally:
            for key in keys:
                self._settle(key, busy(f"version {key[1]} of {key[0]} was let go of meanwhile"))
        await self._on_woken()

    def _settle(self, key: tuple[str, int], outcome: Batcher | Refusal) -> None:
        future = self._coming.pop(key, None)
        if future is not None:
            future.set_result(outcome)


def give_back_memory() -> None:
    """What was freed goes back to the system: glibc keeps it for later otherwise."""
    with contextlib.suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)
