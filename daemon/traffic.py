"""What becomes of a model's traffic when somebody asks for it: each request a change of the record, in one transaction.

A change may be called twice: the first time to see what it would do, and rolled back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlmodel import Session

from daemon.experimentsettings import settled, versioned
from pipeline.config.experiments import ExperimentSection
from pipeline.config.serving import ServingSection
from pipeline.experiments.documents import plan_document, state_document
from pipeline.experiments.questions import question_document, refuse_metric
from pipeline.experiments.stages import KINDS, Plan, Stage, begun
from pipeline.judging.plan import planned
from pipeline.traffic.documents import document_of, split_of
from pipeline.traffic.split import Split, laid_out, ramped
from store import aliases, comparisons, shadows
from store.comparisons import Begun
from store.engine import Transaction
from store.errors import Conflict, GateRefused, Refused
from store.tables import Comparison
from store.times import from_us
from store.versions import get_version
from store.wire import GateView, PlanView, TrafficChange
from store.words import PRODUCTION, ComparisonKind


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Who wants what of a model's traffic, under which settings."""

    model: str
    change: TrafficChange
    actor: str
    section: ServingSection
    experiments: Mapping[str, ExperimentSection] = field(default_factory=dict)
    """Of the project file."""


@dataclass(frozen=True)
class Changed:
    """What a change did."""

    promotions: Mapping[int, PlanView]
    """Version that begins to answer → the plan of its promotion, whose gates it has to pass."""


def change(asked: Asked) -> Callable[[Transaction], Changed]:
    """The change, to be made in a transaction.

    It raises NotFound; Conflict if the state forbids it, or units would lose their treatment; GateRefused for a version
    that may not be promoted either, unless `override` and a reason are given; Refused for a request without sense.
    """
    verbs = {
        "weights": _weights,
        "canary": _canary,
        "experiment": _experiment,
        "stop": _stop,
        "shadow": _shadow,
        "lift": _lift,
    }
    verb = verbs[asked.change.do]
    return lambda tx: verb(tx, asked)


def _weights(tx: Transaction, asked: Asked) -> Changed:
    """Shares that an operator sets: a new comparison, or more for the treatments of the one that runs."""
    shares = _shares(asked)
    row = comparisons.running(tx.session, asked.model)
    if row is not None and row.kind == "weights":
        return _ramp(tx, asked, row, shares)
    new = _judged(tx.session, asked, shares)
    total = sum(shares.values())
    rooms = {version: share / total for version, share in shares.items()}
    split = laid_out(salt(tx), _production(tx.session, asked.model), rooms)
    for version, share in shares.items():
        split = ramped(split, version, share)
    _begin(tx, asked, _of(asked, "weights", split, state={"since": tx.now}), said(shares))
    return Changed(new)


def _ramp(tx: Transaction, asked: Asked, row: Comparison, shares: Mapping[int, float]) -> Changed:
    before = split = split_of(row.control, row.split)
    try:
        for version, share in shares.items():
            split = ramped(split, version, share)
    except Conflict as refused:
        again = " ".join(f"{version}={share:.4g}" for version, share in shares.items())
        raise Conflict(
            refused.what,
            where=asked.model,
            remedy=f"`{comparisons.stop_command(row)}`, then `trainshed weights {asked.model} {again}`: that parts the "
            "units anew, and some who have a treatment now will not have it then",
        ) from None
    if split == before:
        raise Conflict(
            f"{comparisons.named(row)} has these shares already", where=asked.model, remedy="there is nothing to do"
        )
    comparisons.change(
        tx,
        row,
        split=document_of(split),
        state={**row.state, "since": tx.now},
        actor=asked.actor,
        verb="ramped",
        sentence=said(shares),
        reason=asked.change.reason,
    )
    return Changed({})


def _canary(tx: Transaction, asked: Asked) -> Changed:
    """The first stage of the project file's plan; the daemon does the rest (daemon/canaries.py)."""
    version = _version(asked)
    new = _judged(tx.session, asked, {version: 1.0})
    plan, settings = plan_by(asked.section), asked.section
    first = plan.stages[0].share
    split = ramped(laid_out(salt(tx), _production(tx.session, asked.model), {version: 1.0}), version, first)
    document = plan_document(plan, settings.slow.total_seconds(), settings.canary.then)
    state = state_document(begun(from_us(tx.now)))
    _begin(tx, asked, _of(asked, "canary", split, plan={**document}, state={**state}), said({version: first}))
    return Changed(new)


def _experiment(tx: Transaction, asked: Asked) -> Changed:
    """Shares that stay as they are until it is decided; the daemon looks by itself (daemon/experiments.py)."""
    if not asked.section.log.enabled:
        raise Refused(
            "an experiment reads who met which version from the prediction log, which is off",
            where="serving.log.enabled",
            remedy="`enabled = true` in [serving.log], then `trainshed up` reads it",
        )
    name, section = settled(asked.model, asked.change, asked.experiments)
    version = versioned(tx.session, section)
    new = _judged(tx.session, asked, {version: section.share})
    classes = get_version(tx.session, asked.model, version).signature.get("classes", [])
    for metric in (section.metric, *(one.metric for one in section.guardrails)):
        why = refuse_metric(metric, regression=not classes)
        if why is not None:
            raise Refused(why, where=f"experiment {name}", remedy="name another metric, or a reward that you post")
    shares = {version: section.share}
    split = ramped(laid_out(salt(tx), _production(tx.session, asked.model), shares), version, section.share)
    plan = question_document(section, classes)
    begin = _of(asked, "experiment", split, plan={**plan}, state={"since": tx.now})
    _begin(tx, asked, replace(begin, name=name), said(shares))
    return Changed(new)


def _stop(tx: Transaction, asked: Asked) -> Changed:
    row, kind = comparisons.running(tx.session, asked.model), asked.change.kind
    if row is None:
        last = next(iter(comparisons.of_model(tx.session, asked.model, 1)), None)
        if last is not None and comparisons.unseen(last):
            comparisons.see(tx, last, asked.actor)
            return Changed({})
        raise Conflict(
            f"nothing of {asked.model} is compared",
            where=asked.model,
            remedy="`trainshed endpoints` shows what answers",
        )
    if kind not in (None, row.kind) or asked.change.name not in ("", row.name):
        raise Conflict(
            f"{comparisons.named(row)} runs, and no {kind} {asked.change.name}".rstrip(),
            where=asked.model,
            remedy=f"`{comparisons.stop_command(row)}` ends it",
        )
    comparisons.end(tx, row, "stopped", asked.actor, asked.change.reason)
    return Changed({})


def _shadow(tx: Transaction, asked: Asked) -> Changed:
    """It answers nobody, so no gate has to be passed."""
    version = _version(asked)
    row = comparisons.running(tx.session, asked.model)
    if row is not None and version in comparisons.treatments(row):
        raise Conflict(
            f"version {version} answers in {comparisons.named(row)}, so it needs no copies",
            where=asked.model,
            remedy=f"`{comparisons.stop_command(row)}` first",
        )
    shadows.cast(tx, asked.model, version, asked.change.share, asked.actor, asked.change.reason)
    return Changed({})


def _lift(tx: Transaction, asked: Asked) -> Changed:
    shadows.lift(tx, asked.model, asked.actor, asked.change.reason)
    return Changed({})


# ------------------------------------------------------------------------------------------------------- what it takes


def plan_by(section: ServingSection) -> Plan:
    """What the project file says of canaries."""
    canary = section.canary
    stages = tuple(Stage(share=one.share, bake=one.bake, least=one.least) for one in canary.stages)
    return Plan(stages=stages, tolerated=dict.fromkeys(KINDS, canary.tolerated), alpha=canary.alpha)


def salt(tx: Transaction) -> str:
    """Another for each comparison, so that the units of one are parted anew in the next."""
    return f"{tx.now:x}"


def said(shares: Mapping[int, float]) -> str:
    """`version 2 has 0.1 of the units`."""
    return " and ".join(f"version {version} has {share:.4g} of the units" for version, share in shares.items())


def _of(
    asked: Asked, kind: ComparisonKind, split: Split, *, state: Mapping[str, Any], plan: Mapping[str, Any] | None = None
) -> Begun:
    return Begun(
        model=asked.model,
        kind=kind,
        control=split.control,
        split=document_of(split),
        plan=plan or {},
        state=state,
        reason=asked.change.reason,
    )


def _begin(tx: Transaction, asked: Asked, begin: Begun, shares: str) -> None:
    comparisons.begin(tx, begin, asked.actor, shares)


def _production(session: Session, model: str) -> int:
    live = aliases.last_move(session, model, PRODUCTION)
    if live is None:
        raise Conflict(
            f"no version of {model} is in production, so there is nothing to compare with",
            where=model,
            remedy=f"`trainshed promote {model} VERSION` puts one there",
        )
    return live.to_version


def _judged(session: Session, asked: Asked, shares: Mapping[int, float]) -> dict[int, PlanView]:
    """Who answers clients has passed the gates of production, or somebody stands for it by name.

    Raises Conflict, GateRefused.
    """
    live = _production(session, asked.model)
    if live in shares:
        raise Conflict(
            f"version {live} of {asked.model} is in production: it has what nobody else has",
            where=asked.model,
            remedy="name the other versions' shares only",
        )
    plans = {version: planned(session, asked.model, version, PRODUCTION) for version in shares}
    for version, plan in plans.items():
        if plan.needs_override and not (asked.change.override and asked.change.reason.strip()):
            raise GateRefused(
                f"version {version} of {asked.model} may not answer: {_failing(plan.gates)}",
                where=f"{asked.model} {version}",
                remedy='train a better version, give it copies (`trainshed shadow`), or say --override --reason "…"',
            )
    return plans


def _failing(gates: list[GateView]) -> str:
    return "; ".join(f"{gate.gate}: {gate.reason}" for gate in gates if gate.outcome == "fail")


def _version(asked: Asked) -> int:
    if asked.change.version is None:
        raise Refused(f"{asked.change.do} needs a version", where=asked.model, remedy="name it")
    return asked.change.version


def _shares(asked: Asked) -> Mapping[int, float]:
    shares = asked.change.shares
    if not shares or any(not 0.0 < share <= 1.0 for share in shares.values()) or sum(shares.values()) > 1.0 + 1e-9:
        raise Refused(
            f"shares lie above 0 and are 1 at most, all together too, not {shares}",
            where=asked.model,
            remedy=f"`trainshed weights {asked.model} 2=10%` gives version 2 a tenth of the units",
        )
    return shares
