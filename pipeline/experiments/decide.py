"""Promote, roll back, or go on: the rule of a comparison. It may be asked after each unit, and says why."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from pipeline.config.base import duration_text
from pipeline.experiments.findings import Answer, Finding
from pipeline.stats.estimates import Estimated

Action = Literal["promote", "roll back", "go on", "invalid"]
"""`invalid`: what was measured cannot be believed. Find the cause, and begin again with a new salt."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """When a comparison may end."""

    least_units: int = 1000
    """Matured units that each arm has to have before the treatment can win."""
    least_time: timedelta = timedelta(days=7)
    """How long it runs at least before the treatment can win: whole weeks, since days of the week differ."""
    longest: timedelta | None = None
    """After this time a treatment that has not won is taken back. None: never."""
    mismatch: float = 0.01
    """The always-valid p-value from which on the arms' sizes are not those that were planned."""

    def __post_init__(self) -> None:
        if self.longest is not None and self.longest < self.least_time:
            least, longest = duration_text(self.least_time), duration_text(self.longest)
            raise ValueError(f"a comparison of at least {least} cannot end after {longest}")


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What is known of one treatment against control. Of several, each has its own, at alpha / treatments."""

    running: timedelta
    """Since the first exposure."""
    begun: timedelta
    """Since it was begun, whether or not anybody has met it."""
    exposed: Mapping[str, int]
    """Arm → units that met it so far."""
    units: Mapping[str, int]
    """Arm → those of them that are matured; the rest is pending."""
    mismatch: float
    """The smallest always-valid p-value of the arms' sizes so far, see `mismatch`."""
    metric: str
    primary: Estimated
    """Treatment minus control, turned so that more is better, with an interval that may be looked at any time."""
    guardrails: Sequence[Finding]
    """As `guardrails.judged` found them."""


@dataclass(frozen=True)
class Decision:
    """What to do, the sentence that decided, and every rule's answer."""

    action: Action
    reason: str
    findings: tuple[Finding, ...]


def decided(standing: Standing, rules: Rules) -> Decision:
    """Harm acts at once, whatever else is true. Nothing is won on counts that are wrong, too few, or too fresh."""
    harmed = [one for one in standing.guardrails if one.answer == "no"]
    sizes, primary = _sizes(standing, rules), _primary(standing)
    exposure = [*_exposure(standing, rules)]
    findings = (*standing.guardrails, sizes, primary, *exposure)
    if harmed:
        return Decision("roll back", harmed[0].reason, findings)
    if sizes.answer == "no":
        return Decision("invalid", sizes.reason, findings)
    if primary.answer == "no":
        return Decision("roll back", primary.reason, findings)
    waiting = [one for one in (*exposure, primary, *standing.guardrails) if one.answer == "not yet"]
    if not waiting:
        return Decision("promote", primary.reason, findings)
    if rules.longest is not None and standing.begun >= rules.longest:
        return Decision("roll back", f"not won in {duration_text(rules.longest)}: {waiting[0].reason}", findings)
    return Decision("go on", waiting[0].reason, findings)


def _sizes(standing: Standing, rules: Rules) -> Finding:
    good = standing.mismatch > rules.mismatch
    sentence = (
        f"the arms have {_listed(standing.exposed)} units; such sizes or worse come by chance with "
        f"p = {standing.mismatch:.3g}, and up to {rules.mismatch:.3g} they are not those that were planned"
    )
    return Finding("sizes", "yes" if good else "no", sentence, standing.mismatch, rules.mismatch)


def _primary(standing: Standing) -> Finding:
    found = standing.primary
    if not (math.isfinite(found.low) and math.isfinite(found.high)):
        return Finding(standing.metric, "not yet", f"nothing can be said of {standing.metric} yet", None, 0.0)
    answer: Answer = "yes" if found.low > 0 else "no" if found.high < 0 else "not yet"
    said = {"yes": "better", "no": "worse", "not yet": "neither better nor worse yet"}[answer]
    sentence = f"{standing.metric} {found.value:+.4g}, between {found.low:+.4g} and {found.high:+.4g}: {said}"
    return Finding(standing.metric, answer, sentence, found.value, 0.0)


def _exposure(standing: Standing, rules: Rules) -> Iterator[Finding]:
    arm, least = min(standing.units.items(), key=lambda pair: pair[1])
    met = standing.exposed[arm]
    if met:
        have = f"{arm} has {least:,} matured units, and {1.0 - least / met:.0%} of its units are pending"
    else:
        have = f"no unit has met {arm} yet: requests have to name the unit that they are about"
    enough = f"{have}; at least {rules.least_units:,} are needed in each arm"
    yield Finding("units", _soon(least >= rules.least_units), enough, least, rules.least_units)
    long = f"it has run for {duration_text(standing.running)}; at least {duration_text(rules.least_time)} is needed"
    days = standing.running / timedelta(days=1), rules.least_time / timedelta(days=1)
    yield Finding("days", _soon(standing.running >= rules.least_time), long, *days)


def _soon(good: bool) -> Answer:
    return "yes" if good else "not yet"


def _listed(units: Mapping[str, int]) -> str:
    return " and ".join(f"{count:,} ({arm})" for arm, count in units.items())
