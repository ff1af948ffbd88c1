"""A canary's plan and state as the record keeps them: plain JSON, and back."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Literal, TypedDict

from pipeline.experiments.stages import Plan, Stage, State
from store.times import from_us, to_us

Then = Literal["wait", "promote"]


class PlanDocument(TypedDict):
    stages: list[dict[str, Any]]
    tolerated: dict[str, float]
    alpha: float
    slow_s: float
    """An answer that takes longer is slow."""
    then: Then


class StateDocument(TypedDict, total=False):
    since: int
    """Microseconds since 1970 UTC."""
    passed: dict[str, list[float | None]]
    """None for log E = -∞, which is no JSON."""
    finished: bool
    """The last stage is passed, and it was told."""
    refused: str
    """Why it could not be promoted by itself, told once."""


def plan_document(plan: Plan, slow_s: float, then: Then) -> PlanDocument:
    stages = [{"share": one.share, "bake_s": one.bake.total_seconds(), "least": one.least} for one in plan.stages]
    return {
        "stages": stages,
        "tolerated": dict(plan.tolerated),
        "alpha": plan.alpha,
        "slow_s": slow_s,
        "then": then,
    }


def plan_of(document: Mapping[str, Any]) -> Plan:
    stages = tuple(
        Stage(share=one["share"], bake=timedelta(seconds=one["bake_s"]), least=one["least"])
        for one in document["stages"]
    )
    return Plan(stages=stages, tolerated=document["tolerated"], alpha=document["alpha"])


def state_document(state: State) -> StateDocument:
    """Of a stage that is not passed yet. Its number is a column of its own."""
    passed = {kind: [None if math.isinf(one) else one for one in log_es] for kind, log_es in state.passed.items()}
    return {"since": to_us(state.since), "passed": passed}


def state_of(stage: int, document: Mapping[str, Any]) -> State:
    passed: Mapping[str, Sequence[float | None]] = document.get("passed", {})
    evidence = {kind: tuple(-math.inf if one is None else one for one in log_es) for kind, log_es in passed.items()}
    return State(stage=stage, since=from_us(document["since"]), passed=evidence)
