"""The routing snapshot: which versions answer for which model. A small file, replaced as a whole, never changed.

The daemon publishes it; serving processes read it when they start and when they are told that there is a new one. Its
epoch only grows, so the newer of two is known without a clock.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from store.disk import sync
from store.errors import Conflict, StorageError


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One version taking a share of a model's traffic."""

    version: int
    digest: str
    weight: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Route:
    """Who answers for one model."""

    arms: tuple[Arm, ...]
    previous: Arm | None = None
    """What answered before: it stays loaded and warm, so that a rollback loads nothing."""

    @property
    def resident(self) -> tuple[Arm, ...]:
        """All that is kept loaded."""
        return self.arms if self.previous is None else (*self.arms, self.previous)


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    epoch: int
    routes: Mapping[str, Route] = field(default_factory=dict)
    """By model."""

    def resident(self) -> dict[tuple[str, int], str]:
        """(model, version) → digest of all that is kept loaded."""
        return {(model, arm.version): arm.digest for model, route in self.routes.items() for arm in route.resident}


def read_snapshot(file: Path) -> Snapshot:
    """What was published last; epoch 0 and no routes where nothing was. Raises StorageError."""
    try:
        document = json.loads(file.read_bytes())
        routes = {model: _route(route) for model, route in document["routes"].items()}
        return Snapshot(epoch=int(document["epoch"]), routes=routes)
    except FileNotFoundError:
        return Snapshot(epoch=0)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StorageError(
            f"the routing file cannot be read: {error}",
            where=str(file),
            remedy="remove it: the daemon writes it anew from the record when it starts",
        ) from error


def publish_snapshot(file: Path, snapshot: Snapshot) -> None:
    """Replaces the file, synced to the disk, in one rename. Raises Conflict if the epoch does not grow."""
    before = read_snapshot(file).epoch
    if snapshot.epoch <= before:
        raise Conflict(
            f"epoch {snapshot.epoch} does not come after epoch {before}",
            where=str(file),
            remedy="one daemon at a time publishes: see `trainshed status`",
        )
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = file.with_name(f"{file.name}.new")
    aside.write_text(json.dumps(_document(snapshot), indent=1), encoding="utf-8")
    sync(aside)
    os.replace(aside, file)
    sync(file.parent)


def _document(snapshot: Snapshot) -> dict[str, Any]:
    routes = {
        model: {"arms": [vars(arm) for arm in route.arms], "previous": route.previous and vars(route.previous)}
        for model, route in snapshot.routes.items()
    }
    return {"epoch": snapshot.epoch, "routes": routes}


def _route(document: Mapping[str, Any]) -> Route:
    previous = document["previous"]
    return Route(arms=tuple(Arm(**arm) for arm in document["arms"]), previous=Arm(**previous) if previous else None)
