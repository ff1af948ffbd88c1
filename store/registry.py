"""The registry: who may answer. Moves of aliases, each one transaction with compare-and-set, reason and actor.

    with record.transaction() as tx:
        plan = pipeline.judging.plan.planned(tx.session, model, request.version, request.alias)
        registry.promote(tx, model, request, actor, plan)

Versions are in `store/versions.py`, reading of aliases in `store/aliases.py`; what other rooms need is named here.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from store import aliases, comparisons, events, shadows
from store.engine import Transaction
from store.errors import Conflict, GateRefused
from store.tables import AliasEvent, ModelVersion
from store.times import from_us
from store.versions import add_version, get_version, live, set_verdict, verdict_words
from store.wire import AliasEventView, GateView, PlanView, PromoteRequest, RollbackRequest
from store.words import PROTECTED

__all__ = [
    "PromotionFacts",
    "add_version",
    "plan_token",
    "promote",
    "promotion_facts",
    "rollback",
    "rollback_target",
    "set_verdict",
]


@dataclass(frozen=True)
class PromotionFacts:
    """The rows a plan is made from."""

    alias: str
    candidate: ModelVersion
    live: ModelVersion | None
    """Where the alias points now."""

    @property
    def protected(self) -> bool:
        return self.alias in PROTECTED


def promotion_facts(session: Session, model: str, version: int, alias: str) -> PromotionFacts:
    """What a promotion of `version` would start from. Raises NotFound."""
    return PromotionFacts(alias, get_version(session, model, version), live(session, model, alias))


def plan_token(facts: PromotionFacts) -> str:
    """Binds a plan to the state it was made from: model, alias, from, to and the verdict."""
    return _token(facts, None if facts.live is None else facts.live.number)


def promote(tx: Transaction, model: str, request: PromoteRequest, actor: str, plan: PlanView) -> AliasEventView:
    """Points the alias at the version. `plan` is made in this transaction, for this request.

    Raises NotFound; Conflict if the version is there already, or if `request.token` is of a plan that no longer holds
    (naming who moved the alias, when and to what); GateRefused if a protected alias would get a version that does not
    pass and `request.override` with a reason is missing. An override is recorded for ever.
    """
    facts = promotion_facts(tx.session, model, request.version, request.alias)
    if facts.live is not None and facts.live.number == request.version:
        raise _already_there(tx.session, facts)
    token = plan_token(facts)
    if plan.token != token or request.token not in (None, token):
        raise _stale(tx.session, facts, request.token)
    overridden = _needs_override(facts, plan) and _override(facts, plan, request)
    event = AliasEvent(
        model=model,
        alias=request.alias,
        action="promote",
        from_version=plan.from_version,
        to_version=request.version,
        actor=actor,
        reason=request.reason.strip(),
        overridden=overridden,
        gates=[gate.model_dump() for gate in plan.gates],
        created_at=tx.now,
    )
    return _move(tx, event, facts)


def rollback(tx: Transaction, model: str, request: RollbackRequest, actor: str) -> AliasEventView:
    """Points the alias at a version that it had pointed at before: the one before, or `request.to`.

    It was live once, so it needs no new verdict; and a rollback is undone by the next one. Raises NotFound, Conflict.
    """
    history = _history(tx.session, model, request.alias)
    now_at = history[0].to_version
    if request.expected is not None and request.expected != now_at:
        raise _moved(history[0], f"{request.alias} of {model} is not at version {request.expected} any more")
    target = rollback_target(tx.session, model, request.alias, request.to)
    facts = promotion_facts(tx.session, model, target, request.alias)
    if target == now_at:
        raise _already_there(tx.session, facts)
    event = AliasEvent(
        model=model,
        alias=request.alias,
        action="rollback",
        from_version=now_at,
        to_version=target,
        actor=actor,
        reason=request.reason.strip(),
        gates=list((facts.candidate.verdict or {}).get("gates", [])),
        created_at=tx.now,
    )
    return _move(tx, event, facts)


def rollback_target(session: Session, model: str, alias: str, to: int | None) -> int:
    """The version that a rollback goes to: `to`, or the one before. Raises NotFound, Conflict."""
    history = _history(session, model, alias)
    return _before(history) if to is None else _that_was_live(session, history, to)


def _history(session: Session, model: str, alias: str) -> list[AliasEvent]:
    """All moves, newest first; Conflict if there is none."""
    history = aliases.moves(session, model, alias)
    if not history:
        raise Conflict(
            f"{alias} of {model} has never pointed at a version, so there is nothing to go back to",
            where=model,
            remedy=f"`trainshed versions {model}` shows the versions, `trainshed plan {model} VERSION` a promotion",
        )
    return history


# ------------------------------------------------------------------------------------------------------- the move


def _move(tx: Transaction, event: AliasEvent, facts: PromotionFacts) -> AliasEventView:
    """The alias row, the new revision of both versions, the line of history, and the end of what was compared."""
    tx.session.add(event)
    for version in (facts.candidate, facts.live):
        if version is not None:
            version.rev = tx.rev
            tx.session.add(version)
    tx.session.flush()
    events.append(
        tx,
        actor=event.actor,
        kind=f"alias.{event.action}",
        subject=f"{event.model} {event.to_version}",
        message=_sentence(event),
        data={
            "alias": event.alias,
            "from": event.from_version,
            "to": event.to_version,
            "reason": event.reason,
            "overridden": event.overridden,
        },
    )
    comparisons.follow_move(tx, event)
    shadows.follow_move(tx, event)
    return aliases.event_view(event)


def _sentence(event: AliasEvent) -> str:
    origin = "" if event.from_version is None else f" from {event.from_version}"
    against = ", against the gates" if event.overridden else ""
    why = f": {event.reason}" if event.reason else ""
    verb = "rolled back" if event.action == "rollback" else "promoted"
    return f"{event.alias} of {event.model} {verb}{origin} to {event.to_version} by {event.actor}{against}{why}"


def _before(history: list[AliasEvent]) -> int:
    """The newest version in the history that is not the present one."""
    now_at = history[0].to_version
    for move in history:
        if move.to_version != now_at:
            return move.to_version
    raise Conflict(
        f"{history[0].alias} of {history[0].model} has only ever pointed at version {now_at}",
        where=history[0].model,
        remedy=f"promote another version: `trainshed versions {history[0].model}` shows them",
    )


def _that_was_live(session: Session, history: list[AliasEvent], target: int) -> int:
    model, alias = history[0].model, history[0].alias
    get_version(session, model, target)
    if target not in {move.to_version for move in history}:
        raise Conflict(
            f"version {target} of {model} has never been {alias}, so there is no going back to it",
            where=f"{model} {target}",
            remedy=f"promote it: `trainshed plan {model} {target}`",
        )
    return target


# ------------------------------------------------------------------------------------------------------- refusals


def _needs_override(facts: PromotionFacts, plan: PlanView) -> bool:
    return facts.protected and not plan.allowed


def _override(facts: PromotionFacts, plan: PlanView, request: PromoteRequest) -> bool:
    """True if the request overrides the gates; raises GateRefused if it does not, or gives no reason."""
    model, version = facts.candidate.model, facts.candidate.number
    command = f'`trainshed promote {model} {version} --override --reason "…"`'
    if request.override and request.reason.strip():
        return True
    if request.override:
        raise GateRefused(
            "an override of the gates needs a reason",
            where=f"{model} {version}",
            remedy=f"say why: {command}; name and reason are shown for ever",
        )
    failing = [gate for gate in plan.gates if gate.outcome == "fail"]
    raise GateRefused(
        f"version {version} of {model} may not be {facts.alias}: {_list(failing)}",
        where=f"{model} {version}",
        remedy=f"train a better version, or override by name: {command}; it is shown for ever",
    )


def _list(failing: list[GateView]) -> str:
    if not failing:
        return "it has no verdict"
    return "; ".join(f"{gate.gate}: {gate.reason}" for gate in failing)


def _already_there(session: Session, facts: PromotionFacts) -> Conflict:
    move = aliases.last_move(session, facts.candidate.model, facts.alias)
    since = f" since {from_us(move.created_at):%Y-%m-%d %H:%M:%S} UTC, by {move.actor}" if move else ""
    return Conflict(
        f"{facts.alias} of {facts.candidate.model} is version {facts.candidate.number} already{since}",
        where=f"{facts.candidate.model} {facts.candidate.number}",
        remedy="there is nothing to do",
    )


def _stale(session: Session, facts: PromotionFacts, token: str | None) -> Conflict:
    """Why a token no longer holds: the alias was moved since, or the version was judged again."""
    history = aliases.moves(session, facts.candidate.model, facts.alias)
    earlier = {move.to_version for move in history} | {None}
    command = f"`trainshed plan {facts.candidate.model} {facts.candidate.number}`"
    if history and token in {_token(facts, number) for number in earlier}:
        return _moved(history[0], f"{facts.alias} of {facts.candidate.model} was moved after the plan was made")
    return Conflict(
        f"the plan no longer holds: version {facts.candidate.number} {verdict_words(facts.candidate.verdict)} now",
        where=f"{facts.candidate.model} {facts.candidate.number}",
        remedy=f"look at the new plan: {command}",
    )


def _moved(move: AliasEvent, what: str) -> Conflict:
    when = f"{from_us(move.created_at):%Y-%m-%d %H:%M:%S} UTC"
    why = f" ({move.reason})" if move.reason else ""
    return Conflict(
        f"{what}: {move.actor} put it at version {move.to_version} at {when}{why}",
        where=f"{move.model} {move.to_version}",
        remedy=f"`trainshed events` shows what happened; make a new plan: `trainshed plan {move.model} VERSION`",
    )


def _token(facts: PromotionFacts, from_version: int | None) -> str:
    state: list[Any] = [facts.candidate.model, facts.alias, from_version, facts.candidate.number]
    verdict = json.dumps(facts.candidate.verdict, sort_keys=True)
    text = json.dumps([*state, hashlib.sha256(verdict.encode()).hexdigest()])
    return hashlib.sha256(text.encode()).hexdigest()[:32]
