"""ADWIN: has the mean of a stream changed? A window that grows while it has not, and forgets what was before.

Bifet & Gavaldà 2007, "Learning from time-changing data with adaptive windowing", the second version with its buckets of
powers of two: O(log n) memory. The state is a plain document, so a stream goes on between runs as if there were none.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

MOST_BUCKETS: Final = 5
"""M of the paper: buckets of one size, before two of them become one of the next."""
EVERY: Final = 32
"""Values between two looks for a change."""
LEAST: Final = 5
"""Values on each side of a cut."""
FORMAT: Final = 1


@dataclass
class Bucket:
    """So many neighbouring values."""

    size: int
    total: float
    squares: float
    """Σ (x - mean)² of them."""

    @property
    def mean(self) -> float:
        return self.total / self.size

    def with_(self, other: Bucket) -> Bucket:
        """Of both: squares add up with n₀n₁/(n₀ + n₁)·(mean₀ - mean₁)² (Chan, Golub & LeVeque 1983)."""
        between = self.size * other.size / (self.size + other.size) * (self.mean - other.mean) ** 2
        return Bucket(self.size + other.size, self.total + other.total, self.squares + other.squares + between)


@dataclass(frozen=True)
class Change:
    """`at`: values seen until it was noticed. `before`, `after`: means of what was forgotten, and of what is kept."""

    at: int
    before: float
    after: float
    forgotten: int


@dataclass
class Adwin:
    """`delta`: probability of a false alarm at a look, at most. Values lie in [0, 1]."""

    delta: float = 0.002
    seen: int = 0
    buckets: list[Bucket] = field(default_factory=list)
    """The oldest, and largest, first."""

    def update(self, value: float) -> Change | None:
        """Takes the next value; the change, if there was one. Raises ValueError outside of [0, 1]."""
        if not 0.0 <= value <= 1.0:
            raise ValueError(f"ADWIN's bound holds for values from 0 to 1, and {value} is none: scale them first")
        self.seen += 1
        self.buckets.append(Bucket(1, float(value), 0.0))
        self._compress()
        return self._look() if self.seen % EVERY == 0 else None

    def feed(self, values: Iterable[float]) -> Iterator[Change]:
        """All of them in their order. Lazy: exhaust it."""
        return (change for value in values if (change := self.update(value)) is not None)

    @property
    def width(self) -> int:
        """Values that the window holds."""
        return sum(bucket.size for bucket in self.buckets)

    @property
    def mean(self) -> float | None:
        whole = self._whole()
        return None if whole is None else whole.mean

    def document(self) -> dict[str, Any]:
        """Plain JSON; floats come back to the last bit."""
        buckets = [[one.size, one.total, one.squares] for one in self.buckets]
        return {"format": FORMAT, "delta": self.delta, "seen": self.seen, "buckets": buckets}

    @classmethod
    def from_document(cls, said: dict[str, Any]) -> Adwin:
        """Raises ValueError for a document of another format."""
        if said.get("format") != FORMAT:
            raise ValueError(f"a stream's state of format {said.get('format')!r}, not {FORMAT}")
        return cls(said["delta"], said["seen"], [Bucket(*one) for one in said["buckets"]])

    def _compress(self) -> None:
        """Where there are more than M buckets of a size, the two oldest of them become one."""
        end, size = len(self.buckets), 1
        while True:
            start = end
            while start and self.buckets[start - 1].size == size:
                start -= 1
            if end - start <= MOST_BUCKETS:
                return
            self.buckets[start : start + 2] = [self.buckets[start].with_(self.buckets[start + 1])]
            end, size = start + 1, size * 2

    def _look(self) -> Change | None:
        """Forgets the oldest buckets as long as some cut tells two windows apart."""
        forgotten: Bucket | None = None
        while self._cut():
            oldest = self.buckets.pop(0)
            forgotten = oldest if forgotten is None else forgotten.with_(oldest)
        kept = self._whole()
        if forgotten is None or kept is None:
            return None
        return Change(self.seen, forgotten.mean, kept.mean, forgotten.size)

    def _cut(self) -> bool:
        """|mean₀ - mean₁| > ε for a cut between two buckets: ε = √(2σ²·ln(2/δ')/m) + 2·ln(2/δ')/3m, σ² of the whole
        window, 1/m = 1/n₀ + 1/n₁ and δ' = δ/ln n."""
        whole = self._whole()
        if whole is None or whole.size < 2 * LEAST:
            return False
        variance, doubt = whole.squares / whole.size, math.log(2 * math.log(whole.size) / self.delta)
        size, total = 0, 0.0
        for bucket in self.buckets[:-1]:
            size, total = size + bucket.size, total + bucket.total
            rest = whole.size - size
            if size < LEAST or rest < LEAST:
                continue
            scarcity = 1 / size + 1 / rest
            bound = math.sqrt(2 * scarcity * variance * doubt) + 2 / 3 * scarcity * doubt
            if abs(total / size - (whole.total - total) / rest) > bound:
                return True
        return False

    def _whole(self) -> Bucket | None:
        if not self.buckets:
            return None
        whole, *rest = self.buckets
        for bucket in rest:
            whole = whole.with_(bucket)
        return whole
