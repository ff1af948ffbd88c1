"""The routing snapshot: which versions answer for which model. A small file, replaced as a whole, never changed.

The daemon publishes it; serving processes read it when they start and when they are told that there is a new one. Its
epoch only grows, so the newer of two is known without a clock.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from store.disk import replace
from store.errors import Conflict, StorageError


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One version taking a share of a model's traffic."""

    version: int
    digest: str
    weight: float = 1.0
    """Share of the units; a shadow's, of the requests."""
    low: float = 0.0
    """A treatment has the units whose place is in [low, high)."""
    high: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Route:
    """Who answers for one model."""

    arms: tuple[Arm, ...]
    """Control first, which has all that no treatment has; then the treatments."""
    previous: Arm | None = None
    """What answered before: it stays loaded and warm, so that a rollback loads nothing."""
    shadow: Arm | None = None
    """It is given copies of requests, and never answers."""
    salt: str = ""
    """By which units have their places; "" where nothing is compared."""
    hash: str = "blake2b"
    comparison: int | None = None
    """Number of the comparison in the record, and its stage: what is counted is counted for these."""
    stage: int = 0
    slow_s: float | None = None
    """An answer that takes longer is slow; None: none is."""

    @property
    def working(self) -> tuple[Arm, ...]:
        """All that is run: arms and shadow."""
        return self.arms if self.shadow is None else (*self.arms, self.shadow)

    @property
    def resident(self) -> tuple[Arm, ...]:
        """All that is kept loaded, each version once."""
        kept = self.working if self.previous is None else (*self.working, self.previous)
        return tuple({arm.version: arm for arm in kept}.values())


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    epoch: int
    routes: Mapping[str, Route] = field(default_factory=dict)
    """By model."""

    def resident(self) -> dict[tuple[str, int], str]:
        """(model, version) → digest of all that is kept loaded."""
        return {(model, arm.version): arm.digest for model, route in self.routes.items() for arm in route.resident}

    def answering(self) -> set[tuple[str, int]]:
        """(model, version) of all that answers somebody. What else is resident, a shadow or the version before, holds
        up nobody who asks."""
        return {(model, arm.version) for model, route in self.routes.items() for arm in route.arms}


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
    """Replaces the file, synced, in one rename. Raises Conflict if the epoch does not grow, StorageError."""
    before = read_snapshot(file).epoch
    if snapshot.epoch <= before:
        raise Conflict(
            f"epoch {snapshot.epoch} does not come after epoch {before}",
            where=str(file),
            remedy="one daemon at a time publishes: see `trainshed status`",
        )
    replace(file, json.dumps(_document(snapshot), indent=1), 0o666)


def _document(snapshot: Snapshot) -> dict[str, Any]:
    return {"epoch": snapshot.epoch, "routes": {model: asdict(route) for model, route in snapshot.routes.items()}}


def _route(document: Mapping[str, Any]) -> Route:
    """What an older file does not have is as if there were none of it."""
    single = {name: Arm(**found) if (found := document.get(name)) else None for name in ("previous", "shadow")}
    return Route(**{**document, **single, "arms": tuple(Arm(**arm) for arm in document["arms"])})
