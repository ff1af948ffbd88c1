"""A canary's plan and where it is: values that the daemon keeps, apart from the statistics that judge it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from pipeline.serving.tally import ERRORS, REFUSED, SLOW


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A share of the units, and what has to pass there before the next."""

    share: float
    """Between 0 and 1: at 1 there is no control to compare with, that is what `finish` stands for."""
    bake: timedelta
    """How long it lasts at least."""
    least: int
    """Requests that the canary has to have answered in this stage."""

    def __post_init__(self) -> None:
        if not (0.0 < self.share < 1.0 and self.bake >= timedelta(0) and self.least >= 0):
            raise ValueError(f"a stage has a share between 0 and 1, a bake time and a number of requests, not {self}")


STAGES: Final = (
    Stage(share=0.01, bake=timedelta(minutes=10), least=100),
    Stage(share=0.1, bake=timedelta(minutes=30), least=1000),
    Stage(share=0.5, bake=timedelta(hours=1), least=5000),
)
"""1 % → 10 % → 50 %, and then all."""

KINDS: Final = (ERRORS, SLOW, REFUSED)
"""Of harm, as serving processes count it."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The stages, and the kinds of events whose excess ends the canary."""

    stages: tuple[Stage, ...] = STAGES
    tolerated: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(KINDS, 1.0))
    """Kind of event → how many times control's rate is tolerated, at least 1."""
    alpha: float = 0.05
    """Probability that a canary without harm is taken back, over all stages, kinds and looks together."""

    def __post_init__(self) -> None:
        if not self.stages or any(above.share <= below.share for below, above in pairwise(self.stages)):
            raise ValueError("a canary needs stages, each with a larger share than the one before")
        if not self.tolerated or any(ratio < 1.0 for ratio in self.tolerated.values()):
            raise ValueError(
                f"a canary needs kinds of events, each tolerated at least once, not {dict(self.tolerated)}"
            )


@dataclass(frozen=True, kw_only=True)
class State:
    """Where a canary is. Kept by the caller, and replaced by what `step` returns."""

    stage: int
    since: datetime
    """When the stage began."""
    passed: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """Kind → log E at the end of each stage before."""


def begun(now: datetime) -> State:
    """In the first stage."""
    return State(stage=0, since=now)
