"""A comparison reckoned from the logs: exposures and outcomes, as they are known at a moment → where it stands.

Computed anew at each look: a label that came late, or was restated, changes what is said from then on. A unit counts
once its window is closed, with what had arrived by the moment of the look.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt

from pipeline.experiments.cohort import Exposed, Times, Values, matured, restated, totals
from pipeline.experiments.decide import Decision, Rules, Standing, decided
from pipeline.experiments.evalues import always_valid
from pipeline.experiments.findings import Finding
from pipeline.experiments.guardrails import turned
from pipeline.experiments.metrics import Better, Per
from pipeline.experiments.mismatch import log_e
from pipeline.experiments.sampled import Difference, Moments, PairMoments, Sampled, difference
from pipeline.experiments.sequence import interval
from pipeline.stats.estimates import Estimated
from pipeline.stats.measured import Floats


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is compared, and by what."""

    control: int
    shares: Mapping[int, float]
    """Version → planned share of the units, control first; they add up to 1."""
    metric: str
    better: Better
    began: datetime
    window: timedelta
    """After a unit's first exposure: what it brings within it counts, and is known by its end or restates."""
    alpha: float = 0.05
    """Of all treatments together."""
    rules: Rules
    per: Per = "unit"


@dataclass(frozen=True)
class Outcomes:
    """What units brought. Arrays [m]."""

    unit: Values
    at: Times
    values: Floats
    arrived: Times

    def known(self, now: datetime) -> Outcomes:
        """Those that had arrived by then."""
        here = self.arrived <= _moment(now)
        return Outcomes(self.unit[here], self.at[here], self.values[here], self.arrived[here])


@dataclass(frozen=True)
class Reckoned:
    """One treatment against control at a moment."""

    treatment: int
    decision: Decision
    primary: Estimated
    """Treatment minus control in the metric's own direction, with an interval that may be looked at any time."""
    means: Mapping[int, float]
    """Version → mean of its matured units, or of their answers; NaN without any."""
    exposed: Mapping[int, int]
    units: Mapping[int, int]
    """Version → its matured units."""
    pending: float
    """Share of the exposed units of both whose window is open."""
    crossed: int
    """Units that met two arms and count in neither."""
    restated: int
    """Outcomes that came after their unit had been counted without them."""


def reckoned(
    question: Question,
    exposed: Exposed,
    outcomes: Outcomes,
    guardrails: Mapping[int, Sequence[Finding]],
    now: datetime,
) -> list[Reckoned]:
    """Each treatment at `now`, in the order of the shares.

    `exposed`: first exposures, of which later ones than `now` are left out. `guardrails`: treatment → what
    `guardrails.judged` found at alpha / treatments.
    """
    seen = _until(exposed, now)
    known = outcomes.known(now)
    counted = matured(seen, question.window, now)
    brought = summed(seen, known, question.window)
    late = int(restated(seen, known.unit, known.at, known.arrived, question.window).sum())
    treatments = [version for version in question.shares if version != question.control]
    mismatch = _mismatch(question, seen)
    found = []
    for version in treatments:
        arms = (question.control, version)
        sampled = {arm: brought.of(counted & seen.of_arm(arm), question.per) for arm in arms}
        units = {arm: int((counted & seen.of_arm(arm)).sum()) for arm in arms}
        met = {arm: int(seen.of_arm(arm).sum()) for arm in arms}
        apart = difference(sampled[version], sampled[question.control])
        primary = interval(apart, question.alpha / len(treatments))
        standing = Standing(
            running=_running(seen, now),
            begun=now - question.began,
            exposed=_named(met, question),
            units=_named(units, question),
            mismatch=mismatch,
            metric=question.metric,
            primary=turned(primary, question.better),
            guardrails=guardrails.get(version, ()),
        )
        decision = decided(standing, question.rules)
        means = {arm: sampled[arm].value if units[arm] else float("nan") for arm in arms}
        pending = 1.0 - sum(units.values()) / max(1, sum(met.values()))
        found.append(Reckoned(version, decision, primary, means, met, units, pending, seen.crossed, late))
    return found


@dataclass(frozen=True)
class Brought:
    """What each unit [n] brought: the sum of its outcomes, and how many they were."""

    sums: Floats
    counts: Floats

    def of(self, chosen: npt.NDArray[np.bool_], per: Per) -> Sampled:
        """Of some units [n]: the mean of their sums; or of all their outcomes, from the units that have any."""
        if per == "unit":
            return Moments.of(self.sums[chosen]).sampled()
        some = chosen & (self.counts > 0)
        sums, counts = self.sums[some], self.counts[some]
        found = PairMoments.of(sums, counts).sampled()
        return found if per == "answer" or found.units < 2 else _steady(found, sums.sum(), counts.sum())


def _steady(share: Sampled, hits: float, trials: float) -> Sampled:
    """A share whose variance is at least that of (hits + 1)/(trials + 2) in as many units.

    Of an arm in which all failed, or none, s² is 0, and an interval by it would say nothing of the plainest harm.
    """
    near = (hits + 1.0) / (trials + 2.0)
    return replace(share, variance=max(share.variance, near * (1.0 - near) / share.units))


def summed(exposed: Exposed, outcomes: Outcomes, window: timedelta) -> Brought:
    """Outcomes of each unit in its window."""
    ones = np.ones(len(outcomes.unit))
    sums, counts = (totals(exposed, outcomes.unit, outcomes.at, of, window) for of in (outcomes.values, ones))
    return Brought(sums, counts)


def apart(
    exposed: Exposed,
    outcomes: Outcomes,
    counted: npt.NDArray[np.bool_],
    *,
    treatment: int,
    control: int,
    per: Per,
    window: timedelta,
) -> Difference:
    """Treatment minus control of the units that are `counted` [n], as guardrails are judged by."""
    brought = summed(exposed, outcomes, window)
    treated, untreated = (brought.of(counted & exposed.of_arm(arm), per) for arm in (treatment, control))
    return difference(treated, untreated)


def _until(exposed: Exposed, now: datetime) -> Exposed:
    here = exposed.at <= _moment(now)
    return Exposed(exposed.unit[here], exposed.arm[here], exposed.at[here], exposed.crossed)


def _running(seen: Exposed, now: datetime) -> timedelta:
    """Since the first exposure."""
    if not len(seen.at):
        return timedelta(0)
    return timedelta(microseconds=int((_moment(now) - seen.at.min()).astype("timedelta64[us]").astype(np.int64)))


def _mismatch(question: Question, seen: Exposed) -> float:
    """The smallest always-valid p-value of the arms' sizes up to now, unit by unit in the order of their arrival."""
    if not len(seen.unit):
        return 1.0
    arms = seen.arm[np.argsort(seen.at, kind="stable")]
    counts = np.cumsum(np.stack([arms == version for version in question.shares], axis=1), axis=0)
    return always_valid(float(log_e(counts, list(question.shares.values())).max()))


def _named(counts: Mapping[int, int], question: Question) -> dict[str, int]:
    return {"control" if arm == question.control else f"version {arm}": count for arm, count in counts.items()}


def _moment(at: datetime) -> np.datetime64:
    return np.datetime64(at.astimezone(UTC).replace(tzinfo=None))
