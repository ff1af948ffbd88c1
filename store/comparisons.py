"""Comparisons of versions on live traffic: begun, changed and ended in the record, each change with its event.

What is served follows from these rows (daemon/routes.py), so whoever dies in between, the record says what is so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import func
from sqlmodel import Session, col, select

from store import aliases, events
from store.engine import Transaction
from store.errors import Conflict, NotFound
from store.tables import AliasEvent, Comparison
from store.times import from_us
from store.versions import get_version
from store.words import PRODUCTION, ComparisonKind, ComparisonStatus

Json = Mapping[str, Any]
_VERBS: Final[Mapping[ComparisonStatus, str]] = {
    "running": "runs",
    "finished": "has finished",
    "rolled back": "was rolled back",
    "invalid": "was ended as invalid",
    "stopped": "was stopped",
}


@dataclass(frozen=True, kw_only=True)
class Begun:
    """What a comparison starts with."""

    model: str
    kind: ComparisonKind
    control: int
    split: Json
    """`treatments` has a `version`, `low`, `high` and `room` each; see pipeline/traffic/documents.py."""
    name: str = ""
    plan: Json = field(default_factory=dict)
    state: Json = field(default_factory=dict)
    reason: str = ""


# --------------------------------------------------------------------------------------------------------- reading


def running(session: Session, model: str) -> Comparison | None:
    """The model's comparison that has not ended."""
    return session.exec(select(Comparison).where(Comparison.model == model, Comparison.status == "running")).first()


def all_running(session: Session) -> list[Comparison]:
    """Of all models, by model."""
    return list(session.exec(select(Comparison).where(Comparison.status == "running").order_by(col(Comparison.model))))


def newest(session: Session, *, at: int | None = None) -> list[Comparison]:
    """Each model's newest, running or not, by model; with `at` (µs), those that had begun by then."""
    ids = select(func.max(col(Comparison.id))).group_by(col(Comparison.model))
    if at is not None:
        ids = ids.where(col(Comparison.began_at) <= at)
    return list(session.exec(select(Comparison).where(col(Comparison.id).in_(ids)).order_by(col(Comparison.model))))


def of_model(session: Session, model: str, limit: int = 50) -> list[Comparison]:
    """Newest first."""
    query = select(Comparison).where(Comparison.model == model).order_by(col(Comparison.id).desc()).limit(limit)
    return list(session.exec(query))


def of_name(session: Session, name: str, limit: int = 1) -> list[Comparison]:
    """Experiments of that name, newest first."""
    query = select(Comparison).where(Comparison.kind == "experiment", Comparison.name == name)
    return list(session.exec(query.order_by(col(Comparison.id).desc()).limit(limit)))


def experiments(session: Session) -> list[Comparison]:
    """Each name's newest, newest first."""
    ids = select(func.max(col(Comparison.id))).where(Comparison.kind == "experiment").group_by(col(Comparison.name))
    query = select(Comparison).where(col(Comparison.id).in_(ids)).order_by(col(Comparison.id).desc())
    return list(session.exec(query))


def get(session: Session, number: int) -> Comparison:
    """Raises NotFound."""
    row = session.get(Comparison, number)
    if row is None:
        raise NotFound(f"there is no comparison {number}", where=str(number), remedy="`trainshed endpoints` shows them")
    return row


def treatments(row: Comparison) -> list[int]:
    """Versions that take a share beside control."""
    return [int(one["version"]) for one in row.split["treatments"]]


# -------------------------------------------------------------------------------------------------------- changing


def begin(tx: Transaction, begun: Begun, actor: str, shares: str) -> Comparison:
    """A new comparison; `shares` says in words who takes what.

    Raises Conflict if one runs already, or control is not in production; NotFound for a version that does not exist.
    """
    _free(tx.session, begun)
    row = Comparison(
        **{name: getattr(begun, name) for name in ("model", "kind", "name", "control")},
        split=dict(begun.split),
        plan=dict(begun.plan),
        state=dict(begun.state),
        reason=begun.reason.strip(),
        actor=actor,
        began_at=tx.now,
        rev=tx.rev,
    )
    for version in treatments(row):
        get_version(tx.session, row.model, version)
    tx.session.add(row)
    tx.session.flush()
    why = f": {row.reason}" if row.reason else ""
    _tell(tx, row, "began", f"{named(row)} has begun, by {actor}: {shares}{why}", actor, {"reason": row.reason})
    return row


def change(
    tx: Transaction, row: Comparison, *, split: Json, state: Json, actor: str, verb: str, sentence: str, reason: str
) -> Comparison:
    """Other shares, so a new stage. `verb`: of the event, `comparison.<verb>`; `sentence`: what is so now.

    `row` is read in this transaction. Raises Conflict if it has ended.
    """
    _runs(row)
    row.split, row.state, row.stage, row.rev = dict(split), dict(state), row.stage + 1, tx.rev
    tx.session.add(row)
    why = f": {reason}" if reason else ""
    data = {"stage": row.stage, "reason": reason}
    _tell(tx, row, verb, f"{named(row)}: {sentence}, by {actor}{why}", actor, data)
    return row


def keep(tx: Transaction, row: Comparison, state: Json, *, verb: str = "", sentence: str = "") -> None:
    """Another state under the same shares; with `verb`, told in the history: what the daemon found, as a predicate."""
    _runs(row)
    row.state, row.rev = dict(state), tx.rev
    tx.session.add(row)
    if verb:
        _tell(tx, row, verb, f"{named(row)} {sentence}", "daemon", {"stage": row.stage})


def end(
    tx: Transaction,
    row: Comparison,
    status: ComparisonStatus,
    actor: str,
    reason: str,
    *,
    state: Json | None = None,
) -> Comparison:
    """All of the traffic is control's again, or the treatment's, if it has become production. Raises Conflict."""
    _runs(row)
    row.status, row.ended_at, row.ended_by, row.rev = status, tx.now, actor, tx.rev
    row.reason = reason.strip() or row.reason
    row.state = dict(row.state if state is None else state)
    tx.session.add(row)
    tx.session.flush()
    why = f": {reason.strip()}" if reason.strip() else ""
    sentence = f"{named(row)} {_VERBS[status]}, by {actor}{why}"
    _tell(tx, row, status.replace(" ", "_"), sentence, actor, {"stage": row.stage, "reason": reason.strip()})
    return row


def see(tx: Transaction, row: Comparison, actor: str) -> None:
    """Somebody has seen that it was taken back: it asks for nobody's attention any more."""
    row.state, row.rev = {**row.state, "seen_by": actor}, tx.rev
    tx.session.add(row)
    ended = _VERBS[row.status]  # type: ignore[index]  # the column is a plain string
    _tell(tx, row, "seen", f"{actor} has seen that {named(row)} {ended}", actor, {})


def unseen(row: Comparison) -> bool:
    """Whether it was taken back by the daemon, and nobody has said that they know."""
    return row.status in ("rolled back", "invalid") and not row.state.get("seen_by")


def follow_move(tx: Transaction, move: AliasEvent) -> None:
    """Production moves: what was compared with it is over, in the same transaction."""
    row = running(tx.session, move.model) if move.alias == PRODUCTION else None
    if row is None:
        return
    won = move.to_version in treatments(row) and move.action == "promote"
    how = "was promoted" if move.action == "promote" else "came back"
    end(tx, row, "finished" if won else "stopped", move.actor, f"version {move.to_version} {how}, by {move.actor}")


def named(row: Comparison) -> str:
    """As sentences call it."""
    versions = " and ".join(map(str, treatments(row)))
    if row.kind == "canary":
        return f"the canary of {row.model} {versions}"
    if row.kind == "experiment":
        return f"experiment {row.name} of {row.model}"
    return f"the split of {row.model} with {versions}"


def stop_command(row: Comparison) -> str:
    """What ends it."""
    if row.kind == "experiment":
        return f"trainshed experiment stop {row.name}"
    return f"trainshed {row.kind} {row.model} --stop"


# ---------------------------------------------------------------------------------------------------------- inside


def _free(session: Session, begun: Begun) -> None:
    model, there = begun.model, running(session, begun.model)
    if there is not None:
        raise Conflict(
            f"{named(there)} runs since {from_us(there.began_at):%Y-%m-%d %H:%M:%S} UTC, begun by {there.actor}",
            where=model,
            remedy=f"one comparison of a model at a time: end it with `{stop_command(there)}`",
        )
    live = aliases.last_move(session, model, PRODUCTION)
    if live is None or live.to_version != begun.control:
        at = "no version" if live is None else f"version {live.to_version}"
        raise Conflict(
            f"production of {model} is {at}, and the comparison is with version {begun.control}",
            where=model,
            remedy=f"make a new plan; `trainshed versions {model}` shows what is live",
        )


def _runs(row: Comparison) -> None:
    if row.status != "running":
        raise Conflict(
            f"{named(row)} {_VERBS[row.status]} already",  # type: ignore[index]  # the column is a plain string
            where=row.model,
            remedy="`trainshed endpoints` shows what is compared now",
        )


def _tell(tx: Transaction, row: Comparison, verb: str, message: str, actor: str, more: Json) -> None:
    data = {"comparison": row.id, "comparison_kind": row.kind, "versions": _all_versions(row), **more}
    subject = f"{row.model} {treatments(row)[0]}"
    events.append(tx, actor=actor, kind=f"comparison.{verb}", subject=subject, message=message, data=data)


def _all_versions(row: Comparison) -> list[int]:
    return [row.control, *_numbers(row.split["treatments"])]


def _numbers(found: Iterable[Json]) -> list[int]:
    return [int(one["version"]) for one in found]
