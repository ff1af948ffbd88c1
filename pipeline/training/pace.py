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


def choose_block(platform: str) -> int:
    """Steps of a block, at most: see `chunk_function`. `platform`: cpu, gpu or tpu, as JAX says.

    More would gain little and make a network whose step takes seconds slow to stop.
    """
    return 1 if platform == "cpu" else 16


def even_block(steps: int, most: int) -> int:
    """Steps of a block, half of `most` to `most`, of which whole blocks exceed `steps` by least; the larger of equals.

    Pure. What is too many is computed for nothing: less than one step in eight of `steps` from `most` = 16 up.
    """
    if steps <= most:
        return steps
    return min(range(most, most // 2, -1), key=lambda block: -steps % block)


class Pace:
    """A stopwatch over chunks that says how long the next one should be: whole blocks, or the capacity."""

    def __init__(self, *, capacity: int, fixed: bool, block: int = 1) -> None:
        self.capacity = capacity
        self._block = block
        self.steps = capacity if fixed else self._whole(FIRST_STEPS)
        self._fixed = fixed
        self._mark = 0.0

    def _whole(self, steps: int) -> int:
        return min(-(-steps // self._block) * self._block, self.capacity)

    def restart(self, now: float) -> None:
        self._mark = now

    def lap(self, now: float, steps: int) -> float:
        """A chunk of so many steps ended now: its seconds. Adapts `steps`."""
        seconds = now - self._mark
        self._mark = now
        if not self._fixed:
            self.steps = self._whole(next_length(self.steps, seconds, steps, self.capacity))
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
