"""Versions of models in the record: numbered, immutable, with their evidence and their newest verdict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from store import aliases, events
from store.each import each
from store.engine import Transaction
from store.errors import NotFound
from store.facts import VersionFacts
from store.keyset import decode_token, page
from store.tables import ModelVersion
from store.times import from_us
from store.wire import (
    PRODUCTION,
    DifferenceView,
    GateView,
    Interval,
    JudgedAgainst,
    ModelView,
    Page,
    VerdictView,
    VersionDetail,
    VersionView,
)

Known = Sequence[tuple[str, str, str]]
"""(name, task, objective) of the project's models."""
Pointing = Mapping[tuple[str, int], list[str]]
"""(model, version) → the aliases that point at it."""


def add_version(tx: Transaction, facts: VersionFacts, run: int) -> int:
    """Gives a trained model the next number of its name, and returns it.

    A run makes one version: told again by a later attempt, the first one stays.
    """
    made = tx.session.exec(select(ModelVersion).where(ModelVersion.run == run)).first()
    if made is not None:
        return made.number
    highest = tx.session.exec(select(func.max(ModelVersion.number)).where(ModelVersion.model == facts.model)).one()
    number = (highest or 0) + 1
    fields = facts.model_dump(exclude={"verdict"})
    verdict = {**facts.verdict, "at": tx.now} if facts.verdict else None
    tx.session.add(
        ModelVersion(**fields, verdict=verdict, number=number, run=run, created_at=tx.now, rev=tx.rev),
    )
    tx.session.flush()
    events.append(
        tx,
        actor=f"run {run}",
        kind="version.added",
        subject=f"{facts.model} {number}",
        message=f"{facts.model} {number}: {_scores(facts)}; {verdict_words(verdict)}",
        data={"digest": facts.digest, "training_set": facts.training_set},
    )
    return number


def set_verdict(
    tx: Transaction, *, run: int, model: str, version: int, evidence: Mapping[str, Any], verdict: Mapping[str, Any]
) -> None:
    """Replaces the verdict of a version that was judged again, and the evidence it rests on. Raises NotFound."""
    row = get_version(tx.session, model, version)
    row.evidence = dict(evidence)
    row.verdict = {**verdict, "at": tx.now}
    row.rev = tx.rev
    tx.session.add(row)
    events.append(
        tx,
        actor=f"run {run}",
        kind="version.judged",
        subject=f"{model} {version}",
        message=f"{model} {version} was judged again; {verdict_words(row.verdict)}",
        data={"passed": bool(verdict.get("passed"))},
    )


def get_version(session: Session, model: str, number: int) -> ModelVersion:
    """Raises NotFound naming the versions there are."""
    row = session.get(ModelVersion, (model, number))
    if row is not None:
        return row
    highest = session.exec(select(func.max(ModelVersion.number)).where(ModelVersion.model == model)).one()
    if highest is None:
        raise NotFound(
            f"there is no version of {model}",
            where=model,
            remedy=f"`trainshed models` shows what there is; `trainshed run train:{model}` makes a version",
        )
    raise NotFound(
        f"there is no version {number} of {model}; the newest is {highest}",
        where=f"{model} {number}",
        remedy=f"`trainshed versions {model}` shows them",
    )


def live(session: Session, model: str, alias: str) -> ModelVersion | None:
    """The version an alias points at, or None if it never pointed anywhere."""
    move = aliases.last_move(session, model, alias)
    return None if move is None else get_version(session, model, move.to_version)


# ----------------------------------------------------------------------------------------------------------- views


def list_versions(session: Session, model: str, *, limit: int = 50, after: str | None = None) -> Page[VersionView]:
    """Newest first."""
    pointing = aliases.by_version(session)
    return page(
        rows(session, model, limit + 1, after),
        limit,
        lambda row: version_view(row, pointing),
        lambda row: (row.number,),
    )


def rows(session: Session, model: str, most: int, after: str | None) -> list[ModelVersion]:
    """Newest first; `after`: the token of the page before."""
    query = select(ModelVersion).where(ModelVersion.model == model)
    if after is not None:
        (shown,) = decode_token(after, int)
        query = query.where(col(ModelVersion.number) < shown)
    return list(session.exec(query.order_by(col(ModelVersion.number).desc()).limit(most)))


def version_detail(session: Session, model: str, number: int) -> VersionDetail:
    """Everything about one version. Raises NotFound."""
    row = get_version(session, model, number)
    return VersionDetail(
        version=version_view(row, aliases.by_version(session)),
        evidence=row.evidence,
        signature=row.signature,
        lineage=row.lineage,
        aliases=aliases.of_version(session, model, number),
    )


def newest(session: Session, models: Iterable[str], pointing: Pointing) -> list[VersionView]:
    """Each model's newest version, of those that have one. `pointing`: from `aliases.parted`."""
    wanted, made = each(models), col(ModelVersion.model)
    last = select(func.max(ModelVersion.number)).where(made == wanted.c.value).correlate(wanted).scalar_subquery()
    rows = session.exec(select(ModelVersion).join(wanted, (made == wanted.c.value) & (ModelVersion.number == last)))
    return [version_view(row, pointing) for row in rows]


def newest_then(session: Session, model: str, at: int) -> VersionView | None:
    """The newest that had been made by a time (µs), with its verdict unless that is of a later judgement."""
    made = select(ModelVersion).where(ModelVersion.model == model, col(ModelVersion.created_at) <= at)
    row = session.exec(made.order_by(col(ModelVersion.number).desc()).limit(1)).first()
    if row is None:
        return None
    view = version_view(row, {})
    judged_later = row.verdict is not None and row.verdict["at"] > at
    return view.model_copy(update={"verdict": None}) if judged_later else view


def changed_versions(session: Session, rev: int, most: int) -> list[VersionView]:
    """Those that changed after a revision, or that an alias came to or left; the last `most`."""
    changed = select(ModelVersion).where(col(ModelVersion.rev) > rev).order_by(col(ModelVersion.rev).desc())
    rows = session.exec(changed.limit(most)).all()
    pointing = aliases.by_version(session) if rows else {}
    return [version_view(row, pointing) for row in reversed(rows)]


def model_views(session: Session, known: Known = ()) -> list[ModelView]:
    """The project's models in its order, then those only the record remembers."""
    seen = _models_in_record(session)
    listed = [seen.get(name) or _without_versions(name, task, objective) for name, task, objective in known]
    names = {name for name, _, _ in known}
    return listed + [view for name, view in seen.items() if name not in names]


def model_view(session: Session, name: str, known: Known = ()) -> ModelView:
    """Raises NotFound."""
    for view in model_views(session, known):
        if view.name == name:
            return view
    raise NotFound(f"there is no model {name!r}", where=name, remedy="`trainshed models` shows what there is")


def changed_models(session: Session, rev: int) -> list[ModelView]:
    """Models with a version, or an alias, that changed after a revision."""
    if session.exec(select(ModelVersion.rev).where(col(ModelVersion.rev) > rev).limit(1)).first() is None:
        return []
    return [view for view in model_views(session) if view.rev > rev]


def version_view(row: ModelVersion, pointing: Pointing) -> VersionView:
    """`pointing`: from `aliases.by_version`."""
    return VersionView(
        model=row.model,
        version=row.number,
        run=row.run,
        digest=row.digest,
        created_at=from_us(row.created_at),
        objective=row.objective,
        metrics={name: Interval(**one) for name, one in row.metrics.items()},
        baseline=row.baseline,
        verdict=verdict_view(row.verdict),
        judged_against=judged_against(row),
        aliases=pointing.get((row.model, row.number), []),
        rev=row.rev,
    )


def verdict_view(verdict: Mapping[str, Any] | None) -> VerdictView | None:
    """A verdict as it stands in the row."""
    if verdict is None:
        return None
    gates = [GateView(**gate) for gate in verdict["gates"]]
    return VerdictView(passed=verdict["passed"], gates=gates, at=from_us(verdict["at"]))


def judged_against(row: ModelVersion) -> JudgedAgainst | None:
    """The comparison in its objective with what was in production when it was judged; None where there is none."""
    number = (row.evidence.get("production") or {}).get("version")
    found = None if number is None else compared(row, number).get(row.objective)
    return None if found is None else JudgedAgainst(version=number, difference=found.difference, p_value=found.p_value)


def compared(row: ModelVersion, with_version: int) -> dict[str, DifferenceView]:
    """Metric → this version minus that one on the same rows; empty when it was compared with another one."""
    found: Mapping[str, Any] = row.evidence.get("production") or {}
    if found.get("version") != with_version:
        return {}
    return {
        one["metric"]: DifferenceView(
            metric=one["metric"],
            difference=Interval(**one["difference"]),
            p_value=one["p_value"],
            test=one["test"],
            rows=one["rows"],
        )
        for one in found.get("differences", [])
        if None not in one["difference"].values()
    }


def verdict_words(verdict: Mapping[str, Any] | None) -> str:
    """A verdict in half a sentence."""
    if verdict is None:
        return "without a verdict"
    failing = [str(gate["gate"]) for gate in verdict["gates"] if gate["outcome"] == "fail"]
    return f"refused by {', '.join(failing)}" if failing else f"passes {len(verdict['gates'])} gates"


def _scores(facts: VersionFacts) -> str:
    found = facts.metrics.get(facts.objective)
    if found is None:
        return f"{facts.objective} unknown"
    return f"{facts.objective} {found['value']:.4g} ({found['low']:.4g} to {found['high']:.4g})"


def _models_in_record(session: Session) -> dict[str, ModelView]:
    pointing = aliases.current(session)
    by_version = aliases.by_version(session)
    counted = session.exec(
        select(ModelVersion.model, func.count(), func.max(ModelVersion.number), func.max(ModelVersion.rev)).group_by(
            col(ModelVersion.model)
        )
    ).all()
    views: dict[str, ModelView] = {}
    for name, versions, latest, rev in counted:
        newest = get_version(session, name, latest)
        points = {view.alias: view.version for view in pointing if view.model == name}
        live_now = points.get(PRODUCTION)
        views[name] = ModelView(
            name=name,
            task=newest.task,
            objective=newest.objective,
            versions=versions,
            latest=latest,
            aliases=points,
            production=None if live_now is None else version_view(get_version(session, name, live_now), by_version),
            rev=rev,
        )
    return views


def _without_versions(name: str, task: str, objective: str) -> ModelView:
    return ModelView(name=name, task=task, objective=objective, versions=0, latest=None, aliases={}, rev=0)
