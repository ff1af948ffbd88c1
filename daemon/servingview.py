"""What the serving processes say of themselves, as a person reads it. Pure but for the one who asks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from daemon.armview import arm_views, with_numbers
from daemon.canaries import Canaries
from daemon.endpoints import Endpoints
from daemon.numbers import (
    Facts,
    cold_starts,
    counted,
    histogram,
    is_asleep,
    last_cold_ms,
    milliseconds,
    missing,
    requests,
)
from daemon.trafficview import shadow_view
from pipeline.serving import tally
from pipeline.serving.listening import address
from store import comparisons, shadows
from store.engine import Record
from store.errors import ServingError
from store.routing import Route, Snapshot, read_snapshot
from store.wire import ComparisonView, EndpointsView, EndpointView, ServingWorkerView, ShadowView


@dataclass(frozen=True)
class _Compared:
    """What the record has of all models' traffic."""

    comparisons: Mapping[str, ComparisonView]
    shadows: Mapping[str, ShadowView]


class ServingRoom:
    """Asks, and remembers the counts of the question before, for rates."""

    def __init__(
        self, endpoints: Endpoints, canaries: Canaries, record: Record, monotonic: Callable[[], float]
    ) -> None:
        self._endpoints = endpoints
        self._canaries = canaries
        self._record = record
        self._dir = record.home.serving
        self._monotonic = monotonic
        self._turn = threading.Lock()
        self._before: dict[str, int] = {}
        self._before_at: float | None = None

    def view(self) -> EndpointsView:
        endpoints = self._endpoints
        status: dict[str, Any] = {}
        workers: Sequence[Facts] = []
        if endpoints.process.alive():
            try:
                status, workers = endpoints.process.ask("status"), endpoints.process.ask("facts")["workers"]
            except ServingError:
                status = {}  # it is starting, or ending: said by `running`
        snapshot, asked = read_snapshot(self._dir.routing), endpoints.wish.asked
        return EndpointsView(
            wanted=endpoints.wish.wanted,
            asked_by=asked["by"] if asked else None,
            running=bool(status),
            pid=status.get("pid"),
            url=f"{status['scheme']}://{address(status['host'], status['port'])}" if status else None,
            certificate=self._certificate(status),
            grpc=address(status["host"], status["grpc_port"]) if status.get("grpc_port") else None,
            epoch=snapshot.epoch,
            restarts=status.get("restarts", 0),
            compilations=sum(int(facts["compilations"]) for facts in workers),
            workers=[ServingWorkerView(**worker) for worker in status.get("workers", [])],
            endpoints=self._endpoints_of(snapshot, status, workers) if status else [],
            phase=endpoints.phases.sentence,
            problem=endpoints.problem,
        )

    def _certificate(self, status: Facts) -> str | None:
        settings = self._endpoints.process.settings() if status else None
        return settings.tls_cert if settings else None

    def facts(self) -> Sequence[Facts] | None:
        """Every worker's numbers; None while nothing is served. Raises ServingError while it starts or ends."""
        process = self._endpoints.process
        return process.ask("facts")["workers"] if process.alive() else None

    def _endpoints_of(self, snapshot: Snapshot, status: Facts, workers: Sequence[Facts]) -> list[EndpointView]:
        with self._turn:
            now = self._monotonic()
            passed = None if self._before_at is None else now - self._before_at
            counts = {model: requests(workers, model, None) for model in snapshot.routes}
            rates = {
                model: max(0, count - self._before.get(model, 0)) / passed if passed else None
                for model, count in counts.items()
            }
            self._before, self._before_at = counts, now
        known = self._compared()
        return [
            self._with_arms(
                endpoint_view(model, route, status["workers"], workers, rates[model]),
                route,
                status["workers"],
                workers,
                known,
            )
            for model, route in snapshot.routes.items()
        ]

    def _compared(self) -> _Compared:
        with self._record.read() as session:
            return _Compared(
                {row.model: self._canaries.view(row) for row in comparisons.newest(session)},
                {row.model: shadow_view(row) for row in shadows.all_shadows(session)},
            )

    def _with_arms(
        self, view: EndpointView, route: Route, crew: Sequence[Facts], workers: Sequence[Facts], known: _Compared
    ) -> EndpointView:
        stage = None if route.comparison is None else tally.read(self._dir.tallies, route.comparison, route.stage)
        shadow = known.shadows.get(view.model)
        return view.model_copy(
            update={
                "arms": arm_views(view.model, route, crew, workers, stage),
                "comparison": known.comparisons.get(view.model),
                "shadow": None if shadow is None else with_numbers(shadow, view.model, crew, workers),
            }
        )


def endpoint_view(
    model: str, route: Route, crew: Sequence[Facts], workers: Sequence[Facts], rps: float | None
) -> EndpointView:
    """One model's line, from what the supervisor says of the workers and what they have counted."""
    version = str(route.arms[0].version)
    reason = missing(crew, model, version)
    accepting = any(worker["state"] == "accepting" for worker in crew)
    total = histogram(workers, "phases", (model, version, "total"))
    batches, rows = histogram(workers, "batches", (model, version)), counted(workers, "rows", model, version)
    return EndpointView(
        model=model,
        version=route.arms[0].version,
        previous=route.previous.version if route.previous else None,
        ready=accepting and not reason,
        reason=reason or ("" if accepting else "no worker accepts requests yet"),
        asleep=is_asleep(workers, model),
        cold_starts=cold_starts(workers, model),
        cold_ms=last_cold_ms(workers, model),
        requests=requests(workers, model, version),
        errors=requests(workers, model, version, least=500),
        rps=rps,
        logged=counted(workers, "log_predictions", model, "written"),
        dropped=counted(workers, "log_predictions", model, "dropped"),
        batch_rows=rows / sum(batches) if batches and sum(batches) else None,
        **{f"p{share}_ms": milliseconds(total, share) for share in (50, 95, 99)},
    )
