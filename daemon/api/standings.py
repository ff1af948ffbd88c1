"""`/v1/models/{model}/standings`, `…/versions/compare`: versions against each other. Before `…/versions/{version}`."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from daemon.api.models import Alias, known_models
from daemon.api.part import part
from daemon.api.shed import After, Here, Limit, Name
from pipeline.judging.comparison import compared_versions
from pipeline.judging.standing import standing
from store import versions
from store.keyset import page
from store.wire import Page, StandingView, VersionsCompareView
from store.words import PRODUCTION

router = part("models")
Side = Annotated[int, Query(ge=0, description="A version's number.")]


@router.get("/models/{model}/standings")
def standings(
    shed: Here, model: Name, alias: Alias = PRODUCTION, limit: Limit = 50, after: After = None
) -> Page[StandingView]:
    """Every version against the one that an alias points at, newest first."""
    with shed.daemon.record.read() as session:
        versions.model_view(session, model, known_models(shed.daemon.project))
        live = versions.live(session, model, alias)
        rows = versions.rows(session, model, limit + 1, after)
        return page(rows, limit, lambda row: standing(row, live), lambda row: (row.number,))


@router.get("/models/{model}/versions/compare")
def compare(shed: Here, model: Name, left: Side, right: Side) -> VersionsCompareView:
    """Two versions: numbers, what a caller would notice, the settings and the data in which they differ."""
    with shed.daemon.record.read() as session:
        return compared_versions(session, model, left, right)
