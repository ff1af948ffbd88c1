"""Models and versions, now or as they were."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from tui.rows.models import as_of, versions_as_of

if TYPE_CHECKING:
    from store.wire import AliasEventView, ModelView, VersionView
    from tui.client import Client

MOST_VERSIONS: Final = 1_000
"""Of one model, the newest: more are in `trainshed versions MODEL --after`."""


def models_at(daemon: Client, moment: datetime | None) -> list[ModelView]:
    """In the project's order. Raises Failure."""
    models = daemon.models()
    if moment is None:
        return models
    return [
        as_of(model, versions(daemon, model.name), daemon.alias_history(model.name), moment)
        if model.versions
        else model
        for model in models
    ]


def versions_at(daemon: Client, model: str, moment: datetime | None) -> list[VersionView]:
    """Newest first. Raises Failure."""
    found = versions(daemon, model)
    return found if moment is None else versions_as_of(found, daemon.alias_history(model), moment)


def moves_at(daemon: Client, model: str, moment: datetime | None) -> list[AliasEventView]:
    """Every move of the model's aliases until then, newest first. Raises Failure."""
    return [move for move in daemon.alias_history(model) if moment is None or move.at <= moment]


def versions(daemon: Client, model: str) -> list[VersionView]:
    """Newest first, at most MOST_VERSIONS. Raises Failure."""
    found: list[VersionView] = []
    after: str | None = None
    while len(found) < MOST_VERSIONS:
        page = daemon.versions(model, limit=500, after=after)
        found += page.items
        after = page.next
        if after is None:
            break
    return found
