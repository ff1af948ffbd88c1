"""A canary: a version takes more and more of the traffic by stages, and is taken back by the first sign of harm.

A state and what was counted since its stage began go in, the next state and the reason come out; the caller moves the
traffic.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pipeline.config.base import duration_text
from pipeline.experiments.evalues import alarm, always_valid, log_mean
from pipeline.experiments.excess import log_e
from pipeline.experiments.findings import Finding
from pipeline.experiments.stages import Plan, Stage, State

Move = Literal["hold", "advance", "finish", "roll back"]
"""`advance`: to the next stage's share. `finish`: all stages are passed, the version may be promoted."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """Counts since the stage began."""

    requests: int
    """That the canary answered: what it refused, or failed to answer, says nothing for it."""
    events: Mapping[str, tuple[int, int]]
    """Kind → the canary's and control's, of units that had one (see `excess`)."""


@dataclass(frozen=True)
class Step:
    """What to do now, why, and every kind's finding."""

    move: Move
    state: State
    reason: str
    findings: tuple[Finding, ...]


def step(plan: Plan, state: State, seen: Seen, now: datetime) -> Step:
    """Asked as often as one likes. Harm counts at once; else the stage's time and requests have to be there."""
    stage = plan.stages[state.stage]
    evidence = {kind: _evidence(state, stage, seen, kind, ratio) for kind, ratio in plan.tolerated.items()}
    findings = tuple(_finding(plan, stage, seen, kind, log_es) for kind, log_es in evidence.items())
    harmed = next((one for one in findings if one.answer == "no"), None)
    if harmed is not None:
        return Step("roll back", state, harmed.reason, findings)
    waiting = _waiting(stage, state, seen, now)
    if waiting:
        return Step("hold", state, waiting, findings)
    took = duration_text(now - state.since)
    passed = f"{stage.share:.4g} of the units for {took}, {seen.requests:,} requests, no sign of harm"
    if state.stage + 1 == len(plan.stages):
        return Step("finish", state, passed, findings)
    return Step("advance", State(stage=state.stage + 1, since=now, passed=evidence), passed, findings)


def _evidence(state: State, stage: Stage, seen: Seen, kind: str, tolerated: float) -> tuple[float, ...]:
    """log E of this kind, by stage, up to now."""
    treated, control = seen.events[kind]
    return (*state.passed.get(kind, ()), float(log_e(treated, control, stage.share, tolerated)))


def _finding(plan: Plan, stage: Stage, seen: Seen, kind: str, log_es: tuple[float, ...]) -> Finding:
    """Each stage is an e-process of its own, since its coin is another; their mean is one for the whole canary."""
    alpha = plan.alpha / len(plan.tolerated)
    found = log_mean(log_es, len(plan.stages))
    harmed = alarm(found, alpha)
    p_value = always_valid(found)
    treated, control = seen.events[kind]
    sentence = (
        f"{kind}: {treated:,} of {treated + control:,} are the canary's, which has {stage.share:.4g} of the units; "
        f"p = {p_value:.3g}, and at {alpha:.3g} it is taken back"
    )
    return Finding(kind, "no" if harmed else "not yet", sentence, p_value, alpha)


def _waiting(stage: Stage, state: State, seen: Seen, now: datetime) -> str | None:
    """What the stage still lacks. A clock that was put back only prolongs it."""
    if now - state.since < stage.bake:
        since, bake = state.since.isoformat(timespec="seconds"), duration_text(stage.bake)
        return f"{stage.share:.4g} of the units since {since}, which has to last {bake}"
    if seen.requests < stage.least:
        return f"the canary has answered {seen.requests:,} requests at {stage.share:.4g}; {stage.least:,} are needed"
    return None
