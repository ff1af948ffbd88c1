"""The endpoint's own app, over one version that never changes. It keeps no prediction log."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipeline.features.online import OnlineFeatures
from pipeline.serving.app import App
from pipeline.serving.batcher import Batcher
from pipeline.serving.compilations import Compilations
from pipeline.serving.desk import Desk, Limits
from pipeline.serving.guard import crowded
from pipeline.serving.inbox import Inbox
from pipeline.serving.journal import Journal
from pipeline.serving.labelling import Labelling
from pipeline.serving.loaded import LoadedVersion
from pipeline.serving.lookups import Lookups
from pipeline.serving.metrics import Facts, Metrics
from pipeline.serving.settings import ServingSettings
from pipeline.serving.shadowing import Shadowing
from pipeline.serving.shelf import Shelf
from pipeline.serving.tally import Tally
from pipeline.standalone.provenance import Provenance
from store.home import ServingDir
from store.routing import Arm, Route, Snapshot

if TYPE_CHECKING:
    from pipeline.serving.server import DataServer

_BODIES: Final = 16
"""So many bodies of the largest size may be received at one moment."""
_NOWHERE: Final = ServingDir(Path())
"""Nothing is written."""


class Door:
    """Belongs to the thread of its event loop, which has to be running."""

    def __init__(
        self, loaded: LoadedVersion, provenance: Provenance, settings: ServingSettings, compute: Executor
    ) -> None:
        self._settings = settings
        self._compute = compute
        self._metrics = Metrics()
        self._compilations = Compilations()
        self._shelf = Shelf(self._batcher)
        arm = Arm(version=provenance.version, digest=provenance.digest)
        self._shelf.put(provenance.model, provenance.version, loaded)
        self._shelf.switch(Snapshot(epoch=1, routes={provenance.model: Route(arms=(arm,))}))
        journal = Journal(_NOWHERE, None)
        self.desk: Final = Desk(
            self._shelf,
            Limits(settings.most_rows, settings.timeout_s),
            self._metrics,
            journal,
            Tally(_NOWHERE.tallies, journal.writer),  # one version: nothing is compared, and nothing is a shadow
            Shadowing(self._metrics, journal, compute),
            Lookups(OnlineFeatures(lambda view: _NOWHERE.root / view)),  # feature views are not taken along
        )
        self.inbox: Final = Inbox(settings.most_body, _BODIES * settings.most_body)
        self.on_crowded: Final = crowded(self._metrics, lambda: self._shelf.snapshot.routes)
        """Hears of requests that the server does not let in."""
        self.app: Final = App(self.desk, self.inbox, Labelling(None), self._facts)
        self.server: DataServer | None = None
        """What its connections come by, if any do."""

    def _batcher(self, model: str, version: int, loaded: LoadedVersion) -> Batcher:
        label = str(version)
        return Batcher.of(
            loaded,
            queue_rows=self._settings.queue_rows,
            longest_wait_s=self._settings.longest_wait_s / 2,
            thread=self._compute,
            on_batch=lambda batch: self._metrics.batch(model, label, batch),
        )

    async def _facts(self) -> Sequence[Facts]:
        return [
            {
                "worker": "1",
                "epoch": self._shelf.snapshot.epoch,
                "waiting_rows": sum(seat.batcher.waiting_rows for seat in self._shelf.seats.values()),
                "connections": self.server.connections if self.server else 0,
                "resident": len(self._shelf.seats),
                "ready": int(self.desk.ready()),
                "loop_lag": self.server.lag_s if self.server else 0.0,
                "compilations": self._compilations.count,
                **self._metrics.facts(),
                "log_predictions": [],
                "log_waiting": 0,
            }
        ]
