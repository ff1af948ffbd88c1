"""`/v1/models`: versions with their evidence, plans, and the moves of aliases."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from daemon.api.part import part
from daemon.api.shed import NAME_PATTERN, Actor, After, Here, Limit, Name, Number
from daemon.replays import Pair
from pipeline.config import Project
from pipeline.judging.plan import planned, planned_rollback
from pipeline.serving.readiness import is_pressed
from store import aliases, registry, versions
from store.engine import Transaction
from store.wire import (
    AliasEventView,
    ModelView,
    Page,
    PlanView,
    PromoteRequest,
    RollbackRequest,
    VersionDetail,
    VersionView,
)
from store.words import PRODUCTION

router = part("models")
Alias = Annotated[str, Query(pattern=NAME_PATTERN)]


@router.get("/models")
def list_models(shed: Here) -> Page[ModelView]:
    """The project's models, and those that only the record remembers."""
    with shed.daemon.record.read() as session:
        return Page(items=versions.model_views(session, known_models(shed.daemon.project)))


@router.get("/models/{model}")
def show(shed: Here, model: Name) -> ModelView:
    """One model: how many versions, and where its aliases point."""
    with shed.daemon.record.read() as session:
        return versions.model_view(session, model, known_models(shed.daemon.project))


@router.get("/models/{model}/versions")
def list_versions(shed: Here, model: Name, limit: Limit = 50, after: After = None) -> Page[VersionView]:
    """Newest first."""
    with shed.daemon.record.read() as session:
        versions.model_view(session, model, known_models(shed.daemon.project))
        found = versions.list_versions(session, model, limit=limit, after=after)
    return found.model_copy(update={"items": [_with_pressed(shed, one) for one in found.items]})


@router.get("/models/{model}/versions/{version}")
def version(shed: Here, model: Name, version: Number) -> VersionDetail:
    """One version with its evidence, signature and lineage."""
    with shed.daemon.record.read() as session:
        found = versions.version_detail(session, model, version)
    return found.model_copy(update={"version": _with_pressed(shed, found.version)})


def _with_pressed(shed: Here, view: VersionView) -> VersionView:
    daemon = shed.daemon
    pressed = is_pressed(daemon.home.serving, view.digest, daemon.project.serving.max_batch)
    return view.model_copy(update={"pressed": pressed})


@router.get("/models/{model}/versions/{version}/plan")
def plan(
    shed: Here,
    model: Name,
    version: Number,
    alias: Alias = PRODUCTION,
    wait: Annotated[float, Query(ge=0, le=120, description="Seconds for the replay of logged requests.")] = 0.0,
) -> PlanView:
    """What a promotion would do, with the token that binds a promotion to this plan."""
    daemon = shed.daemon
    with daemon.record.read() as session:
        made = planned(session, model, version, alias)
        facts = registry.promotion_facts(session, model, version, alias)
        live = None if facts.live is None else facts.live.digest
        pair = Pair(model, facts.candidate.digest, live, daemon.project.serving.replay)
    replay = daemon.replays.of(pair, made.from_version, wait) if pair.last and made.effects else None
    return daemon.endpoints.with_effects(made).model_copy(update={"replay": replay})


@router.post("/models/{model}/promote")
def promote(shed: Here, actor: Actor, model: Name, request: PromoteRequest) -> AliasEventView:
    """Moves an alias, if the gates allow it and the plan that was shown still holds; what is served goes with it."""

    def move(tx: Transaction) -> AliasEventView:
        current = planned(tx.session, model, request.version, request.alias)
        return registry.promote(tx, model, request, actor, current)

    return shed.daemon.endpoints.move(model, request.alias, move)


@router.get("/models/{model}/rollback")
def rollback_plan(
    shed: Here, model: Name, alias: Alias = PRODUCTION, to: Annotated[int | None, Query(ge=0)] = None
) -> PlanView:
    """What going back would do: to the version before, or to `to`."""
    with shed.daemon.record.read() as session:
        made = planned_rollback(session, model, alias, to)
    return shed.daemon.endpoints.with_effects(made)


@router.post("/models/{model}/rollback")
def rollback(shed: Here, actor: Actor, model: Name, request: RollbackRequest) -> AliasEventView:
    """Moves an alias back to a version that it had pointed at."""
    return shed.daemon.endpoints.move(model, request.alias, lambda tx: registry.rollback(tx, model, request, actor))


@router.get("/models/{model}/aliases")
def alias_history(
    shed: Here,
    model: Name,
    alias: Annotated[str | None, Query(pattern=NAME_PATTERN)] = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[AliasEventView]:
    """Every move of the model's aliases, newest first."""
    with shed.daemon.record.read() as session:
        versions.model_view(session, model, known_models(shed.daemon.project))
        return aliases.history(session, model, alias, limit=limit, after=after)


def known_models(project: Project) -> list[tuple[str, str, str]]:
    """Name, task and objective of what the project defines."""
    return [(name, model.task, model.objective_name) for name, model in project.models.items()]
