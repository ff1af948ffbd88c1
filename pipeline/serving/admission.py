"""Who comes in when more ask than one process can answer: a few at a time, and of the others only as many as can wait.

The event loop reads whatever has come before it goes on with anything, so that without a bound each turn of it takes in
all that clients can send, and everybody waits for everybody. Here a turn begins so many requests as take some
milliseconds; the next wait for a next turn, in their order; and whom more would have to wait for than is allowed is
refused at once, before a task or a body is made of it. What a request costs is measured while they wait for each other,
and for how long they may wait follows from whether there are too many (`standing.py`).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from pipeline.serving.standing import Standing

TURN_S: Final = 0.002
"""What one turn of the loop begins, about: a refusal waits for no longer than one or two of these."""
LEAST: Final = 4
"""Begun in a turn in any case: what each turn costs by itself is shared by them, and they are one batch. With 8, of
64 rows each, five times as many refusals came after 10 ms."""
_FIRST_COST_S: Final = 100e-6
_WINDOW: Final = 64
"""Requests after which the measure is taken."""

Begin = Callable[[], None]


class Admission:
    """One process's; belongs to the thread of its event loop."""

    def __init__(self, longest_wait_s: float, clock: Callable[[], float]) -> None:
        """`longest_wait_s`: for how long those who come last in a burst wait, about; `clock`: seconds, monotonic."""
        self._standing = Standing(longest_wait_s)
        self._clock = clock
        self._waiting: deque[Begin] = deque()
        self._cost_s = _FIRST_COST_S
        """From one begin to the next, while some wait: with all that is read, refused, run and answered meanwhile."""
        self._most = int(TURN_S / _FIRST_COST_S)
        """Begun in one turn."""
        self._begun = 0
        """In this turn."""
        self._next_asked = False
        self._busy_since: float | None = None
        """Since when there has always been somebody who waited; of this window."""
        self._busy_begun = 0

    @property
    def queued(self) -> bool:
        """Whether a request that comes now waits for others."""
        return bool(self._waiting)

    def turns_away(self) -> bool:
        """Whether a request that comes now would wait for too long; then it is to be refused."""
        now = self._clock()
        if len(self._waiting) * self._cost_s <= self._standing.bound_s(now):
            return False
        self._standing.refused(now)
        return True

    def enter(self, begin: Begin) -> None:
        """Calls `begin` now, or in a later turn."""
        if not self._waiting and self._begun < self._most:
            self._begun += 1
            self._busy_begun += 1
            begin()
        else:
            self._waiting.append(begin)
        self._ask_for_next()

    def _ask_for_next(self) -> None:
        if not self._next_asked:
            self._next_asked = True
            asyncio.get_running_loop().call_soon(self._next_turn)

    def _next_turn(self) -> None:
        self._next_asked = False
        self._measure()
        self._begun = 0
        while self._waiting and self._begun < self._most:
            self._begun += 1
            self._waiting.popleft()()
        self._busy_begun += self._begun
        if self._begun:
            self._ask_for_next()

    def _measure(self) -> None:
        if not self._waiting:
            self._busy_since = None
            return
        now = self._clock()
        if self._busy_since is not None and self._busy_begun < _WINDOW:
            return
        if self._busy_since is not None:
            self._cost_s = (self._cost_s + (now - self._busy_since) / self._busy_begun) / 2
            self._most = max(LEAST, int(TURN_S / self._cost_s))
        self._busy_since, self._busy_begun = now, 0
