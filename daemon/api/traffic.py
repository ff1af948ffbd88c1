"""`/v1/models/MODEL/traffic`: who takes which share, what is compared, who is the shadow; changes, and their plans."""

from __future__ import annotations

from sqlmodel import Session

from daemon.api.models import known_models
from daemon.api.part import part
from daemon.api.shed import Actor, Here, Limit, Name, Shed
from daemon.experimentsettings import settled
from daemon.traffic import Asked, change, plan_by
from daemon.trafficview import canary_effects, plan_view, shadow_view, token_of
from pipeline.experiments.questions import effects
from store import aliases, comparisons, shadows, versions
from store.engine import Transaction
from store.errors import Conflict
from store.wire import ComparisonView, Page, TrafficChange, TrafficPlanView, TrafficRequest, TrafficView
from store.words import PRODUCTION

router = part("traffic")


@router.get("/models/{model}/traffic")
def show(shed: Here, model: Name) -> TrafficView:
    """What runs, or ran the last time, by the record; `/v1/endpoints` has the numbers."""
    with shed.daemon.record.read() as session:
        versions.model_view(session, model, known_models(shed.daemon.project))
        return _view(shed, session, model)


@router.get("/models/{model}/comparisons")
def list_comparisons(shed: Here, model: Name, limit: Limit = 50) -> Page[ComparisonView]:
    """The newest, newest first."""
    with shed.daemon.record.read() as session:
        versions.model_view(session, model, known_models(shed.daemon.project))
        return Page(items=[shed.daemon.canaries.view(row) for row in comparisons.of_model(session, model, limit)])


@router.post("/models/{model}/traffic/plan")
def plan(shed: Here, actor: Actor, model: Name, asked: TrafficChange) -> TrafficPlanView:
    """What a change would do, with the token that binds it to this plan. Nothing is changed."""
    wanted = _asked(shed, actor, model, asked)
    changed, before, after = shed.daemon.endpoints.rehearsed(model, change(wanted))
    return plan_view(model, asked, changed, before, after, _effects(wanted))


@router.post("/models/{model}/traffic")
def change_traffic(shed: Here, actor: Actor, model: Name, request: TrafficRequest) -> TrafficView:
    """Makes the change, if the plan that was shown still holds. What begins to answer, or is a shadow, is loaded, warm
    and compared with its golden rows in every worker before."""
    make = change(_asked(shed, actor, model, request.change))

    def bound(tx: Transaction) -> None:
        if request.token not in (None, token_of(shed.daemon.endpoints.rehearsal.route(tx.session, model))):
            raise Conflict(
                f"the traffic of {model} has changed since the plan was made",
                where=model,
                remedy="look at it with `trainshed endpoints`, and make a new plan",
            )
        make(tx)

    shed.daemon.endpoints.change(model, bound)
    shed.daemon.canaries.wake()
    shed.daemon.experiments.wake()
    with shed.daemon.record.read() as session:
        return _view(shed, session, model)


def _asked(shed: Shed, actor: str, model: str, asked: TrafficChange) -> Asked:
    project = shed.daemon.project
    return Asked(model=model, change=asked, actor=actor, section=project.serving, experiments=project.experiments)


def _effects(asked: Asked) -> list[str]:
    """What the daemon will do by itself, once it is so."""
    if asked.change.do == "canary":
        return canary_effects(plan_by(asked.section), asked.section.canary.then)
    if asked.change.do == "experiment":
        return effects(settled(asked.model, asked.change, asked.experiments)[1])
    return []


def _view(shed: Shed, session: Session, model: str) -> TrafficView:
    live = aliases.last_move(session, model, PRODUCTION)
    newest = next(iter(comparisons.of_model(session, model, 1)), None)
    shadow = shadows.current(session, model)
    return TrafficView(
        model=model,
        production=None if live is None else live.to_version,
        comparison=None if newest is None else shed.daemon.canaries.view(newest),
        shadow=None if shadow is None else shadow_view(shadow),
    )
