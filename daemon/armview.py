"""The versions that answer for a model, and its shadow, with their numbers. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from daemon.numbers import Facts, counted, histogram, loaded, milliseconds, missing, requests
from pipeline.serving.tally import ERRORS, SLOW, Counted
from store.routing import Route
from store.wire import ArmView, ShadowView


def arm_views(
    model: str, route: Route, crew: Sequence[Facts], workers: Sequence[Facts], compared: Counted | None
) -> list[ArmView]:
    """Control first. `crew`: what the supervisor says of the workers; `compared`: what they counted of the stage."""
    accepting = any(worker["state"] == "accepting" for worker in crew)
    views = []
    for place, arm in enumerate(route.arms):
        version = str(arm.version)
        total = histogram(workers, "phases", (model, version, "total"))
        view = ArmView(
            version=arm.version,
            role="treatment" if place else "control",
            share=arm.weight,
            ready=accepting and not missing(crew, model, version),
            requests=requests(workers, model, version),
            errors=requests(workers, model, version, least=500),
            slow=counted(workers, "slow", model, version),
            p50_ms=milliseconds(total, 50),
            p99_ms=milliseconds(total, 99),
        )
        views.append(view if compared is None else view.model_copy(update=_of_the_stage(arm.version, compared)))
    return views


def _of_the_stage(version: int, found: Counted) -> dict[str, int | None]:
    return {
        "compared": found.requests.get(version, 0),
        "units": found.units.get(version, 0),
        "error_units": found.hit.get(ERRORS, {}).get(version, 0),
        "slow_units": found.hit.get(SLOW, {}).get(version, 0),
    }


def with_numbers(view: ShadowView, model: str, crew: Sequence[Facts], workers: Sequence[Facts]) -> ShadowView:
    """The shadow, and what became of its copies since the processes started."""
    version = str(view.version)
    run = histogram(workers, "phases", (model, version, "shadow"))
    why_not = missing(crew, model, version)
    outcomes = {name: counted(workers, "shadows", model, version, name) for name in ("answered", "failed", "dropped")}
    return view.model_copy(
        update={
            **outcomes,
            "ready": loaded(workers, model, version) and not why_not,
            "why_not": why_not,
            "p50_ms": milliseconds(run, 50),
            "p99_ms": milliseconds(run, 99),
        }
    )
