"""Comparisons, shadows and changes of traffic as people read them. Pure, from rows and routes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, cast

from daemon.traffic import Changed
from pipeline.config.base import duration_text
from pipeline.experiments.findings import Finding
from pipeline.experiments.stages import Plan
from pipeline.traffic.documents import split_of
from store.routing import Arm, Route
from store.tables import Comparison, Shadow
from store.times import from_us
from store.wire import (
    ArmShare,
    ComparisonView,
    RuleView,
    ShadowView,
    StageView,
    TrafficChange,
    TrafficPlanView,
    TreatmentView,
)
from store.words import ComparisonKind, ComparisonStatus


def comparison_view(row: Comparison, waits: str = "", findings: Sequence[Finding] = ()) -> ComparisonView:
    """`waits`, `findings`: what the daemon's last look at a running canary said. Experiments keep theirs themselves."""
    report = row.state.get("report") if row.kind == "experiment" and row.status == "running" else None
    if report is not None:
        waits, findings = report["decision"]["reason"], [Finding(**one) for one in report["findings"]]
    split = split_of(row.control, row.split)
    return ComparisonView(
        id=row.id or 0,
        model=row.model,
        kind=cast(ComparisonKind, row.kind),
        name=row.name,
        control=row.control,
        treatments=[
            TreatmentView(version=one.version, share=one.share, room=round(one.room - one.low, 12))
            for one in split.treatments
        ],
        status=cast(ComparisonStatus, row.status),
        stage=row.stage,
        since=from_us(row.state.get("since", row.began_at)),
        stages=_stages(row.plan),
        passed=bool(row.state.get("finished")) or (report is not None and report["decision"]["action"] == "promote"),
        waits=waits,
        findings=[RuleView(**asdict(one)) for one in findings],
        then=row.plan.get("then", ""),
        reason=row.reason,
        actor=row.actor,
        ended_by=row.ended_by,
        seen_by=row.state.get("seen_by"),
        began_at=from_us(row.began_at),
        ended_at=from_us(row.ended_at),
    )


def shadow_view(row: Shadow) -> ShadowView:
    return ShadowView(
        version=row.version, share=row.share, actor=row.actor, reason=row.reason, since=from_us(row.since)
    )


def plan_view(
    model: str, change: TrafficChange, changed: Changed, before: Route, after: Route, more: Sequence[str] = ()
) -> TrafficPlanView:
    """What a change would do, from what it did in a transaction that was taken back. `more`: further effects."""
    plans = changed.promotions
    return TrafficPlanView(
        model=model,
        do=change.do,
        before=_shares(before.arms),
        after=_shares(after.arms),
        shadow_before=before.shadow.version if before.shadow else None,
        shadow_after=after.shadow.version if after.shadow else None,
        gates={version: plan.gates for version, plan in plans.items()},
        needs_override=any(plan.needs_override for plan in plans.values()),
        effects=[*_effects(change, before, after), *more],
        warnings=[f"version {version}: {one}" for version, plan in plans.items() for one in plan.signature_changes],
        undo=_undo(model, change, before),
        token=token_of(before),
    )


def canary_effects(plan: Plan, then: str) -> list[str]:
    """What the daemon will do by itself, a sentence a stage."""
    stages = [
        f"{one.share:.4g} of the units for {duration_text(one.bake)} at least, and {one.least:,} requests"
        for one in plan.stages
    ]
    end = "then it is promoted, if its gates allow that" if then == "promote" else "then it waits to be promoted"
    harm = f"an excess of {' or '.join(plan.tolerated)} takes it back at once, at {plan.alpha:.4g} over all looks"
    return [*stages, end, harm]


def token_of(route: Route) -> str:
    """Binds a plan to the traffic that it was made from."""
    return hashlib.sha256(json.dumps(asdict(route), sort_keys=True).encode()).hexdigest()[:32]


def _stages(plan: Mapping[str, Any]) -> list[StageView]:
    return [
        StageView(share=one["share"], bake_seconds=one["bake_s"], least=one["least"]) for one in plan.get("stages", [])
    ]


def _shares(arms: Sequence[Arm]) -> list[ArmShare]:
    return [ArmShare(version=arm.version, share=arm.weight) for arm in arms]


def _effects(change: TrafficChange, before: Route, after: Route) -> list[str]:
    known = {arm.version: arm.weight for arm in before.arms}
    effects = [
        f"version {arm.version}: {known.get(arm.version, 0.0):.4g} → {arm.weight:.4g} of the units"
        for arm in after.arms
        if arm.weight != known.get(arm.version)
    ]
    effects += [
        f"version {version} answers nobody any more; its units are control's again"
        for version in known.keys() - {arm.version for arm in after.arms}
    ]
    if change.do in ("weights", "canary", "experiment"):
        effects.append("who names no unit hears control; who has a treatment keeps it while it grows")
    if after.shadow != before.shadow:
        effects.append(_shadow_effect(before.shadow, after.shadow))
    return effects


def _shadow_effect(before: Arm | None, after: Arm | None) -> str:
    if after is None:
        return f"version {before.version if before else 0} is given no copies any more"
    return f"version {after.version} is given a copy of {after.weight:.4g} of the requests; nobody hears its answers"


def _undo(model: str, change: TrafficChange, before: Route) -> str:
    if change.do == "stop":
        return "a new comparison parts the units anew"
    if change.do == "lift":
        return f"trainshed shadow {model} {before.shadow.version if before.shadow else 'VERSION'}"
    if change.do == "experiment":
        return f"trainshed experiment stop {change.name or 'NAME'}"
    return f"trainshed {change.do} {model} --stop"
