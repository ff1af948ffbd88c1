"""Where the ticks of an axis stand, and what they say. Pure."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from tui.rows.words import span

_CLOCK: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200, 86_400)
_YEAR: Final = 300 * 86_400
"""Seconds, about: days of a longer stretch may be of different years."""
_FLAT: Final = 1e-12
_SMALLEST: Final = 1e-290
"""Below, a share of the stretch could not be computed."""


@dataclass(frozen=True)
class Scale:
    """A stretch of an axis: values to shares of its length."""

    low: float
    high: float
    log: bool = False

    def share(self, value: float) -> float:
        """0 at the low end, 1 at the high one; not cut to that."""
        if self.log:
            return (math.log10(value) - math.log10(self.low)) / (math.log10(self.high) - math.log10(self.low))
        return (value - self.low) / (self.high - self.low)

    def rows(self, count: int) -> Callable[[float], int]:
        """Value → number of the row from above, of `count`; what is outside goes to the edge."""
        last = count - 1
        if self.log:
            start, log10 = math.log10(self.low), math.log10
            part = last / (log10(self.high) - start)
            return lambda value: min(max(last - round((log10(value) - start) * part), 0), last)
        low, each = self.low, last / (self.high - self.low)
        return lambda value: min(max(last - round((value - low) * each), 0), last)


def scale_of(values: Sequence[float], *, log: bool = False, room: float = 0.04) -> Scale:
    """A stretch that holds all values, with some room above and below; of nothing, 0 to 1."""
    if not values:
        return Scale(1.0, 10.0, True) if log else Scale(0.0, 1.0)
    low, high = min(values), max(values)
    if log:
        least, most = math.log10(low), math.log10(high)
        more = max((most - least) * room, 0.05)
        return Scale(10 ** max(least - more, -307), 10 ** min(most + more, 307), True)
    width = high / 2 - low / 2
    if width <= max(_FLAT * max(abs(low), abs(high)), _SMALLEST):
        more = abs(high) * 0.1 if abs(high) > _SMALLEST else 1.0
    else:
        more = width * 2 * room
    return Scale(low - more, high + more)


def nice_step(width: float, most: int) -> float:
    """1, 2 or 5 times a power of ten, so that a stretch of `width` has at most `most` steps."""
    raw = width / max(most, 1)
    if not raw > 0 or not math.isfinite(raw):
        return 1.0
    power = 10.0 ** math.floor(math.log10(raw))
    return next((m * power for m in (1, 2, 5) if m * power >= raw * (1 - 1e-9)), 10 * power) or raw


def clock_step(width: float, most: int) -> float:
    """A number of seconds that people count in."""
    raw = width / max(most, 1)
    return next((float(step) for step in _CLOCK if step >= raw), 86_400.0 * max(1, math.ceil(raw / 86_400)))


def ticks(scale: Scale, most: int, step: Callable[[float, int], float] = nice_step) -> list[float]:
    """At most about `most` values inside the stretch."""
    if scale.log:
        return _log_ticks(scale, most)
    each = step(scale.high - scale.low, most)
    first = math.ceil(scale.low / each - 1e-9)
    last = math.floor(scale.high / each + 1e-9)
    if last - first > 10 * most:  # a stretch too narrow for its place on the axis: floats cannot tell the steps apart
        return [scale.low]
    return [each * number for number in range(first, last + 1)]


def _log_ticks(scale: Scale, most: int) -> list[float]:
    first, last = math.floor(math.log10(scale.low)), math.ceil(math.log10(scale.high))
    every = max(1, math.ceil((last - first) / max(most, 1)))
    within = (1, 2, 5) if last - first <= max(most, 1) // 2 else (1,)
    values = (m * 10.0**power for power in range(first, last + 1, every) for m in within)
    found = [value for value in values if scale.low <= value <= scale.high]
    return found or [value for value in ticks(Scale(scale.low, scale.high), most) if value >= scale.low]


def labels(values: Sequence[float]) -> list[str]:
    """The values with as many digits as tell them apart; thousands as k, M, G."""
    if not values:
        return []
    largest = max(abs(value) for value in values)
    if largest >= 1e12 or 0 < largest < 1e-4:
        return [f"{value:.1e}" for value in values]
    unit, letter = next(((u, c) for u, c in ((1e9, "G"), (1e6, "M"), (1e3, "k")) if largest >= 10 * u), (1.0, ""))
    gaps = [abs(b - a) for a, b in itertools.pairwise(values) if b != a]
    least = (min(gaps) if gaps else largest or 1.0) / unit
    digits = min(max(0, -math.floor(math.log10(least) + 1e-9)), 6)
    return [f"{value / unit:.{digits}f}{letter}" if value else "0" for value in values]


def told_apart(texts: Sequence[str]) -> list[str]:
    """Of neighbours that say the same only the first says it, and the others nothing: a tick without words is better
    than one whose words are another's.
    """
    return [text if before != text else "" for before, text in zip([None, *texts], texts, strict=False)]


def clock_labels(values: Sequence[float]) -> list[str]:
    """Seconds as durations."""
    return ["0" if value == 0 else span(max(value, 10.0) if value >= 10 else value) for value in values]


def day_labels(values: Sequence[float], *, seconds: bool = False) -> list[str]:
    """Seconds since a midnight as times of day, with seconds where the values are closer than a minute."""
    fine = seconds or any(value % 60 for value in values)
    found = []
    for value in values:
        whole = int(value) % 86_400
        text = f"{whole // 3_600:02}:{whole % 3_600 // 60:02}"
        found.append(f"{text}:{whole % 60:02}" if fine else text)
    return found


def date_labels(values: Sequence[float], since: datetime) -> list[str]:
    """Seconds since a midnight: the day where a day begins, with its year where they are years apart, and the time of
    day between, with seconds where it is no whole minute.
    """
    day = "%b %d" if not values or values[-1] - values[0] < _YEAR else "%Y-%m-%d"
    return [f"{since + timedelta(seconds=value):{day if value % 86_400 == 0 else _time(value)}}" for value in values]


def moment_label(value: float, since: datetime) -> str:
    """Seconds since a midnight as day and time."""
    return f"{since + timedelta(seconds=value):%b %d {_time(value)}}"


def _time(value: float) -> str:
    return "%H:%M:%S" if value % 60 else "%H:%M"


def written_along(
    places: Sequence[int], texts: Sequence[str], width: int, rule: str, mark: str
) -> tuple[list[str], list[str]]:
    """The line of an axis with a mark at each place, and what stands below it: as many words as have room, and none
    that the last of them has said. `width` cells each.
    """
    line, words, free, said = [rule] * width, [" "] * width, 0, ""
    for place, text in zip(places, texts, strict=True):
        line[place] = mark
        start = min(max(place - len(text) // 2, 0), width - len(text))
        if text != said and start >= free:
            words[start : start + len(text)] = text
            free, said = start + len(text) + 1, text
    return line, words
