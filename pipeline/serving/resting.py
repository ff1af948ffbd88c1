"""The supervisor's part of sleeping models: asks the workers what they were asked, and tells them what sleeps."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Final

from pipeline.serving.channel import Closed, Json, Refused
from pipeline.serving.idle import Use, changes, last_wanted
from pipeline.serving.roster import Roster, Worker

ASK_S: Final = 2.0
WAKE_S: Final = 60.0
_LOOK_S: Final = 5.0
"""Between two looks, at most; shorter where the time is short."""
_SHORTEST_S: Final = 0.25
log = logging.getLogger(__name__)


class Resting:
    """Belongs to the thread of its event loop."""

    def __init__(
        self, roster: Roster, idle_s: Callable[[], float | None], on_missing: Callable[[Worker], None]
    ) -> None:
        """`idle_s`: seconds after which a model that nobody asks sleeps, by the settings in force; None: never.

        `on_missing` is called when a worker could not load again what it was told to.
        """
        self._roster = roster
        self._idle_s = idle_s
        self._on_missing = on_missing
        self._wanted: dict[str, float] = {}
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """A look at once: a worker has loaded what slept, or the settings have changed."""
        self._woken.set()

    async def keep(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._woken.clear()
            idle_s = self._idle_s()
            if idle_s is not None:
                try:
                    await self._look(idle_s, loop.time)
                except Exception:  # a fault of one look, or of a worker's answer, must not be that of all
                    log.exception("models that nobody asks were not looked at")
            pause = None if idle_s is None else max(_SHORTEST_S, min(_LOOK_S, idle_s / 4))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), pause)

    async def _look(self, idle_s: float, clock: Callable[[], float]) -> None:
        uses: dict[int, dict[str, Use]] = {}
        for worker in self._roster:
            if worker.state in ("ready", "accepting"):
                with contextlib.suppress(Closed, Refused, TimeoutError):
                    uses[worker.number] = _uses(await asyncio.wait_for(self._roster.tell(worker, "uses"), ASK_S))
        now = clock()
        self._wanted = last_wanted(self._wanted, uses.values(), now)
        told = changes(uses, self._wanted, now, idle_s)
        for worker in self._roster:
            if (change := told.get(worker.number)) is not None:
                await self._tell(worker, change.sleep, change.wake, idle_s)

    async def _tell(self, worker: Worker, sleep: tuple[str, ...], wake: tuple[str, ...], idle_s: float) -> None:
        try:
            rest = self._roster.tell(worker, "rest", sleep=sleep, wake=wake, idle_s=idle_s)
            await asyncio.wait_for(rest, WAKE_S)
            if wake and worker.missing:
                self._on_missing(worker)
        except (Closed, Refused, TimeoutError) as error:
            log.warning("worker %d does not let models sleep or wake: %s", worker.number, error)


def _uses(said: Json) -> dict[str, Use]:
    """A worker of a release before has no such answer, and lets nothing sleep."""
    return {model: Use(asked_s=asked_s, asleep=asleep) for model, asked_s, asleep in said.get("uses", ())}
