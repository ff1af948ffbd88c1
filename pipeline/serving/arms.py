"""Who answers a request: the one place where a version is chosen."""

from __future__ import annotations

from pipeline.traffic.route import Why
from store.routing import Arm, Snapshot


def choose(snapshot: Snapshot, model: str, unit: str | None) -> Arm | None:
    """The arm for a request about `unit` (None: it names nobody); None if the snapshot has no such model. Pure."""
    route = snapshot.routes.get(model)
    return route.arms[0] if route is not None and route.arms else None


def why(unit: str | None, version: str | None) -> Why:
    """Why that arm, for the prediction log: the request insists on a `version`, or its unit decides, or it has none."""
    if version is not None:
        return "pinned"
    return "assigned" if unit else "no unit"
