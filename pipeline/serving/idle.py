"""Which models sleep, in which worker: what they were asked in, what to do out. Pure.

A model is awake in every worker, the spare too, or asleep in every one: somebody has asked it within its time, or not.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Use:
    """Of one model in one worker."""

    asked_s: float | None
    """Seconds since its last request there, or since it was loaded for a promotion; None: there was none."""
    asleep: bool


@dataclass(frozen=True)
class Change:
    """For one worker."""

    sleep: tuple[str, ...]
    wake: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.sleep or self.wake)


def last_wanted(before: Mapping[str, float], uses: Iterable[Mapping[str, Use]], now: float) -> dict[str, float]:
    """Model → when it was asked last, by anybody; `before`: as it was known, for workers die.

    Of what was never asked the time runs from now on, unless it is asleep somewhere: then it is asleep.
    """
    found: dict[str, float] = {}
    first: dict[str, float] = {}
    for worker in uses:
        for model, use in worker.items():
            asked = before.get(model, -math.inf) if use.asked_s is None else now - use.asked_s
            found[model] = max(found.get(model, -math.inf), before.get(model, -math.inf), asked)
            first[model] = -math.inf if use.asleep else first.get(model, now)
    return {model: first[model] if when == -math.inf else when for model, when in found.items()}


def changes(
    uses: Mapping[int, Mapping[str, Use]], wanted: Mapping[str, float], now: float, idle_s: float
) -> dict[int, Change]:
    """Worker → what it is told; those for whom all is as it should be are left out."""
    tired = {model for model, when in wanted.items() if now - when >= idle_s}
    told = {
        worker: Change(
            sleep=tuple(model for model, use in found.items() if not use.asleep and model in tired),
            wake=tuple(model for model, use in found.items() if use.asleep and model not in tired),
        )
        for worker, found in uses.items()
    }
    return {worker: change for worker, change in told.items() if change}
