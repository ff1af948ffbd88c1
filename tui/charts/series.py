"""What is drawn: points in the order of x, numbers only, with the places where a number was missing. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

WEIGHTS: Final = (0.0, 0.6, 0.9)
"""Of the past in an average that runs along: not smoothed, a little, much."""
_LARGEST: Final = 1e300


@dataclass(frozen=True)
class Series:
    """Ready to be drawn."""

    label: str
    xs: Sequence[float]
    """Rising."""
    ys: Sequence[float]
    """Finite, one an x."""
    breaks: Sequence[float] = ()
    """Rising x at which the value was no number: the line has a gap there."""

    @classmethod
    def of(cls, label: str, xs: Iterable[float], ys: Iterable[float | None]) -> Series:
        """From points in any order; of two at the same x the later one counts."""
        last = dict(zip(xs, ys, strict=True))
        places = sorted(last)
        good = [x for x in places if _is_number(last[x])]
        return cls(
            label,
            good,
            [float(last[x] or 0.0) for x in good],
            [x for x in places if not _is_number(last[x])],
        )

    def at(self, x: float) -> tuple[float, float] | None:
        """The point nearest to x."""
        if not self.xs:
            return None
        right = bisect_left(self.xs, x)
        near = [i for i in (right - 1, right) if 0 <= i < len(self.xs)]
        best = min(near, key=lambda i: abs(self.xs[i] - x))
        return self.xs[best], self.ys[best]

    def smoothed(self, weight: float) -> Series:
        """An exponential average, corrected for its beginning as in Adam (Kingma & Ba 2015, section 3)."""
        if weight <= 0.0:
            return self
        average, past, smooth = 0.0, 1.0, []
        for y in self.ys:
            past *= weight
            average = weight * average + (1.0 - weight) * y
            smooth.append(average / (1.0 - past))
        return Series(self.label, self.xs, smooth, self.breaks)

    def positive(self) -> Series:
        """Without what a logarithm does not have."""
        if not self.ys or min(self.ys) > 0.0:
            return self
        kept = [(x, y) for x, y in zip(self.xs, self.ys, strict=True) if y > 0.0]
        lost = [x for x, y in zip(self.xs, self.ys, strict=True) if y <= 0.0]
        return Series(self.label, [x for x, _ in kept], [y for _, y in kept], sorted([*self.breaks, *lost]))


class Curve:
    """One metric of one run as it grows: steps, seconds since the run's first point, values."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.steps: list[float] = []
        self.seconds: list[float] = []
        self.values: list[float | None] = []
        self.changes = 0

    @property
    def last_step(self) -> int | None:
        return int(self.steps[-1]) if self.steps else None

    @property
    def value(self) -> float | None:
        return self.values[-1] if self.values else None

    def add(self, step: float, seconds: float, value: float | None) -> None:
        """A step that is computed again, after a resume, takes the place of the old one and of all after it."""
        if self.steps and step <= self.steps[-1]:
            keep = bisect_left(self.steps, step)
            del self.steps[keep:], self.seconds[keep:], self.values[keep:]
        self.steps.append(step)
        self.seconds.append(seconds)
        self.values.append(value)
        self.changes += 1

    def series(self, *, by_time: bool) -> Series:
        xs = self.seconds if by_time else self.steps
        values = self.values
        if by_time or not all(map(_is_number, values)):
            return Series.of(self.label, xs, values)
        return Series(self.label, list(xs), list(values))  # type: ignore[arg-type]


def _is_number(value: float | None) -> bool:
    """Beyond the largest, differences would not be numbers any more."""
    return value is not None and abs(value) < _LARGEST
