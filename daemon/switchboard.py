"""Routes, from the record into force: versions are loaded in every worker, which then switch to the new snapshot."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from daemon.phases import Phases
from daemon.routes import wanted_routes
from daemon.servingprocess import PREPARE_S, ServingProcess
from daemon.shadows import new_shadows
from pipeline.config import Project
from store.engine import Record
from store.errors import NotServable, ServingError, StorageError
from store.routing import Route, Snapshot, publish_snapshot, read_snapshot

LOADED_AGAIN_S: Final = 60.0
"""Before what cannot be loaded is tried once more."""
SWITCHED_AGAIN_S: Final = 1.0
log = logging.getLogger(__name__)


class Followed(NamedTuple):
    """How far the serving processes could follow the record."""

    troubles: list[str]
    again_s: float | None
    """Before it should be tried again; None: they do what the record says."""


class Switchboard:
    """Has no lock of its own: one change at a time."""

    def __init__(self, record: Record, project: Callable[[], Project], process: ServingProcess, phases: Phases) -> None:
        self._record = record
        self._project = project
        self._routing = record.home.serving.routing
        self._process = process
        self._phases = phases

    def wanted(self) -> dict[str, Route]:
        """What the record and the project file say."""
        with self._record.read() as session:
            return wanted_routes(session, self._project().serving)

    def prepare(self, model: str, version: int, digest: str) -> dict[str, Any]:
        """Loads a version everywhere, pressed, warm and golden-checked. Raises NotServable, NotServed."""
        return self._process.ask("prepare", PREPARE_S, self._phases.enter, model=model, version=version, digest=digest)

    def publish(self, routes: Mapping[str, Route]) -> None:
        """The next snapshot, on disk; nothing if it says the same."""
        before = read_snapshot(self._routing)
        if before.routes != routes:
            publish_snapshot(self._routing, Snapshot(epoch=before.epoch + 1, routes=dict(routes)))

    def switch(self, routes: Mapping[str, Route]) -> dict[str, Any]:
        """Publishes routes, and has every worker put them in force. Raises NotServable, NotServed."""
        self.publish(routes)
        return self._process.ask("switch", PREPARE_S)

    def follow(self) -> Followed:
        """Aliases that moved while nobody told the serving processes; what cannot be loaded keeps its old route.

        Shadows are loaded once the routes are in force: nothing that answers waits for one, or for one that cannot be.
        """
        now, wanted = read_snapshot(self._routing).routes, self.wanted()
        if now == wanted:
            return Followed([], None)
        routes, troubles = self._loadable(now, wanted)
        again = LOADED_AGAIN_S if troubles else None
        try:
            if routes != now:
                self.switch(routes)
                self._cast_shadows(now, routes)
        except (ServingError, StorageError) as error:
            return Followed([*troubles, f"the new routes are not in force everywhere: {error.what}"], SWITCHED_AGAIN_S)
        return Followed(troubles, again)

    def _loadable(self, now: Mapping[str, Route], wanted: Mapping[str, Route]) -> tuple[dict[str, Route], list[str]]:
        """Loads what is wanted; where that cannot be, the route as it is now, and why."""
        routes, troubles = dict(wanted), []
        for model, route in wanted.items():
            at = None
            try:
                for arm in route.arms:
                    at = arm.version
                    with self._phases.of(model, at):
                        self.prepare(model, at, arm.digest)
            except ServingError as error:
                troubles.append(f"{model} {at} cannot be served: {error.what}")
                routes.pop(model)
                if model in now:
                    routes[model] = now[model]
        return routes, troubles

    def _cast_shadows(self, before: Mapping[str, Route], routes: Mapping[str, Route]) -> None:
        """Loads shadows that are new in the routes; `daemon/shadows.py` tells of those that cannot be.

        Raises ServingError.
        """
        new = new_shadows(before, routes)
        for model, shadow in new.items():
            try:
                with self._phases.of(model, shadow.version):
                    self.prepare(model, shadow.version, shadow.digest)
            except NotServable as error:
                log.warning("the shadow %s %d does not run: %s", model, shadow.version, error.what)
        if new:
            self._process.ask("switch", PREPARE_S)
