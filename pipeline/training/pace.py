"""How long a chunk should be, and where the time of a run goes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

TARGET_SECONDS = 0.1
"""Of a chunk: short enough for live figures and a quick stop, long enough that its overhead vanishes."""
FIRST_STEPS = 8
"""Length of the first chunk, before anything is measured."""


def next_length(length: int, seconds: float, steps: int, capacity: int) -> int:
    """Steps of the next chunk, from the last one's time; it grows at most fourfold at once and stays in 1…capacity."""
    if steps == 0 or seconds <= 0:
        return length
    wanted = int(TARGET_SECONDS * steps / seconds)
    return max(1, min(wanted, 4 * length, capacity))


class Pace:
    """A stopwatch over chunks that says how long the next one should be."""

    def __init__(self, *, capacity: int, fixed: bool) -> None:
        self.capacity = capacity
        self.steps = capacity if fixed else min(FIRST_STEPS, capacity)
        self._fixed = fixed
        self._mark = 0.0

    def restart(self, now: float) -> None:
        self._mark = now

    def lap(self, now: float, steps: int) -> float:
        """A chunk of so many steps ended now: its seconds. Adapts `steps`."""
        seconds = now - self._mark
        self._mark = now
        if not self._fixed:
            self.steps = next_length(self.steps, seconds, steps, self.capacity)
        return seconds


class Ledger:
    """Seconds by cause: compile, train, evaluate, save. What is left of the wall time is `other`."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._begun = clock()
        self.seconds: defaultdict[str, float] = defaultdict(float)

    @contextmanager
    def spent(self, cause: str) -> Iterator[None]:
        start = self._clock()
        try:
            yield
        finally:
            self.seconds[cause] += self._clock() - start

    def figures(self) -> dict[str, float]:
        """{cause: seconds}, with `total`, `other` and `goodput`: the share of the wall time spent in training steps."""
        total = self._clock() - self._begun
        known = sum(self.seconds.values())
        goodput = self.seconds["train"] / total if total > 0 else 0.0
        return {**self.seconds, "other": max(0.0, total - known), "total": total, "goodput": goodput}
