"""Who answers a request: the one place where a version is chosen."""

from __future__ import annotations

from store.routing import Arm, Snapshot


def choose(snapshot: Snapshot, model: str, unit: str | None) -> Arm | None:
    """The arm for a request about `unit` (None: it names nobody); None if the snapshot has no such model. Pure."""
    route = snapshot.routes.get(model)
    return route.arms[0] if route is not None and route.arms else None
