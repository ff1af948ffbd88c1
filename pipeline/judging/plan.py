"""The plan before a promotion: rows → what would change, as `terraform plan` says it. Pure, and light to import."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlmodel import Session

from store.registry import PromotionFacts, plan_token, promotion_facts, rollback_target
from store.tables import ModelVersion
from store.versions import compared
from store.wire import DifferenceView, GateView, PlanView
from store.words import PRODUCTION

GATE_WITHOUT_VERDICT = "verdict"
GATE_OF_PRODUCTION = "production"


def planned(session: Session, model: str, version: int, alias: str) -> PlanView:
    """The plan of promoting a version, from the record as it is now. Raises NotFound."""
    return make_plan(promotion_facts(session, model, version, alias))


def planned_rollback(session: Session, model: str, alias: str, to: int | None) -> PlanView:
    """The plan of going back, to the version before or to `to`. Raises NotFound, Conflict."""
    return make_plan(promotion_facts(session, model, rollback_target(session, model, alias, to), alias), gated=False)


def make_plan(facts: PromotionFacts, *, gated: bool = True) -> PlanView:
    """What the move would do. `allowed`: without an override; not `gated`: what was live once may be live again."""
    gates = current_gates(facts) if gated else _as_judged(facts)
    moves = facts.live is None or facts.live.number != facts.candidate.number
    refused = gated and facts.protected and any(gate.outcome == "fail" for gate in gates)
    return PlanView(
        model=facts.candidate.model,
        alias=facts.alias,
        from_version=None if facts.live is None else facts.live.number,
        to_version=facts.candidate.number,
        allowed=moves and not refused,
        needs_override=moves and refused,
        gates=gates,
        differences=differences(facts),
        signature_changes=[]
        if facts.live is None
        else signature_changes(facts.live.signature, facts.candidate.signature),
        effects=_effects(facts, gated) if moves else [],
        warnings=_warnings(facts, gates, moves, gated),
        undo=_undo(facts) if moves else "",
        token=plan_token(facts),
    )


def current_gates(facts: PromotionFacts) -> list[GateView]:
    """The verdict's gates; the one that compares with production fails if that was another version than now."""
    gates = _as_judged(facts)
    if not facts.protected or facts.live is None:
        return gates
    return [_against(facts.live, facts.candidate, gate) for gate in gates]


def _as_judged(facts: PromotionFacts) -> list[GateView]:
    """The verdict's gates as they stand in the record."""
    verdict = facts.candidate.verdict
    if verdict is None:
        missing = f"it was never judged: `{_evaluate_command(facts.candidate)}`"
        return [GateView(gate=GATE_WITHOUT_VERDICT, outcome="fail", reason=missing)]
    return [GateView(**gate) for gate in verdict["gates"]]


def differences(facts: PromotionFacts) -> list[DifferenceView]:
    """Candidate minus the live version, on the same rows; nothing if it was compared with another one."""
    return [] if facts.live is None else list(compared(facts.candidate, facts.live.number).values())


def signature_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What a caller of the model would notice, a sentence each."""
    old = {column["name"]: column for column in before.get("inputs", [])}
    new = {column["name"]: column for column in after.get("inputs", [])}
    changes = [
        f"needs {new[name]['kind']} column {name}, which the live version does not" for name in new if name not in old
    ]
    changes += [f"no longer uses column {name}" for name in old if name not in new]
    for name in new:
        changes += _column_changes(name, old[name], new[name]) if name in old else []
    if before.get("classes") != after.get("classes"):
        changes.append(f"classes were {_listed(before.get('classes'))} and are {_listed(after.get('classes'))}")
    if before.get("task") != after.get("task"):
        changes.append(f"the task was {before.get('task')} and is {after.get('task')}")
    return changes


def _column_changes(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    if old["kind"] != new["kind"]:
        return [f"column {name} was {old['kind']} and is {new['kind']}"]
    words, known = set(new.get("vocabulary", [])), set(old.get("vocabulary", []))
    if words == known:
        return []
    return [f"column {name} knows {len(words - known)} more categories and {len(known - words)} fewer"]


def _against(live: ModelVersion, candidate: ModelVersion, gate: GateView) -> GateView:
    if gate.gate != GATE_OF_PRODUCTION:
        return gate
    compared = (candidate.evidence.get("production") or {}).get("version")
    if compared == live.number:
        return gate
    with_what = "nothing" if compared is None else f"version {compared}"
    reason = (
        f"it was compared with {with_what}, and version {live.number} is in production now; "
        f"judge it again: `{_evaluate_command(candidate)}`"
    )
    return GateView(gate=gate.gate, outcome="fail", reason=reason)


def _effects(facts: PromotionFacts, gated: bool) -> list[str]:
    model, alias, to = facts.candidate.model, facts.alias, facts.candidate.number
    if facts.live is None:
        effects = [f"{alias} of {model}: none → version {to}"]
    else:
        effects = [f"{alias} of {model}: version {facts.live.number} → version {to}"]
    if facts.protected:
        effects.append(f"the next candidates of {model} are compared with version {to}")
    if not gated:
        effects.append(f"version {to} was {alias} before: its gates, shown as they were judged then, do not bind")
    return effects


def _warnings(facts: PromotionFacts, gates: list[GateView], moves: bool, gated: bool) -> list[str]:
    if not moves:
        return [f"{facts.alias} is version {facts.candidate.number} already: there is nothing to do"]
    warnings = [f"{gate.gate}: {gate.reason}" for gate in gates if gate.outcome == "warn"]
    if not facts.protected:
        warnings += [f"{gate.gate}: {gate.reason}" for gate in gates if gate.outcome == "fail"]
    if gated and facts.live is not None and facts.live.number > facts.candidate.number:
        warnings.append(f"version {facts.candidate.number} is older than the live version {facts.live.number}")
    return warnings


def _undo(facts: PromotionFacts) -> str:
    if facts.live is None:
        return f"nothing was {facts.alias} before: to undo, promote another version"
    option = "" if facts.alias == PRODUCTION else f" --alias {facts.alias}"
    return f"trainshed rollback {facts.candidate.model} --to {facts.live.number}{option}"


def _evaluate_command(candidate: ModelVersion) -> str:
    return f"trainshed run evaluate:{candidate.model} --set version={candidate.number}"


def _listed(values: Any) -> str:
    return ", ".join(map(str, values or [])) or "none"
