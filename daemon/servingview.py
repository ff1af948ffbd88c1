"""What the serving processes say of themselves, as a person reads it. Pure but for the one who asks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from daemon.endpoints import Endpoints
from pipeline.serving.histogram import SECONDS, added, quantile
from store.errors import ServingError
from store.home import Home
from store.routing import Route, Snapshot, read_snapshot
from store.wire import EndpointsView, EndpointView, ServingWorkerView

Facts = Mapping[str, Any]
"""A worker's numbers; see pipeline/serving/metrics.py."""


class ServingRoom:
    """Asks, and remembers the counts of the question before, for rates."""

    def __init__(self, endpoints: Endpoints, home: Home, monotonic: Callable[[], float]) -> None:
        self._endpoints = endpoints
        self._file = home.serving.routing
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
        snapshot, asked = read_snapshot(self._file), endpoints.asked
        return EndpointsView(
            wanted=endpoints.wanted,
            asked_by=asked["by"] if asked else None,
            running=bool(status),
            pid=status.get("pid"),
            url=f"http://{status['host']}:{status['port']}" if status else None,
            grpc=f"{status['host']}:{status['grpc_port']}" if status.get("grpc_port") else None,
            epoch=snapshot.epoch,
            restarts=status.get("restarts", 0),
            compilations=sum(int(facts["compilations"]) for facts in workers),
            workers=[ServingWorkerView(**worker) for worker in status.get("workers", [])],
            endpoints=self._endpoints_of(snapshot, status, workers) if status else [],
            phase=endpoints.phases.sentence,
            problem=endpoints.problem,
        )

    def facts(self) -> Sequence[Facts] | None:
        """Every worker's numbers; None while nothing is served. Raises ServingError while it starts or ends."""
        process = self._endpoints.process
        return process.ask("facts")["workers"] if process.alive() else None

    def _endpoints_of(self, snapshot: Snapshot, status: Facts, workers: Sequence[Facts]) -> list[EndpointView]:
        with self._turn:
            now = self._monotonic()
            passed = None if self._before_at is None else now - self._before_at
            counts = {model: _requests(workers, model, None) for model in snapshot.routes}
            rates = {
                model: max(0, count - self._before.get(model, 0)) / passed if passed else None
                for model, count in counts.items()
            }
            self._before, self._before_at = counts, now
        return [
            endpoint_view(model, route, status["workers"], workers, rates[model])
            for model, route in snapshot.routes.items()
        ]


def endpoint_view(
    model: str, route: Route, crew: Sequence[Facts], workers: Sequence[Facts], rps: float | None
) -> EndpointView:
    """One model's line, from what the supervisor says of the workers and what they have counted."""
    version = str(route.arms[0].version)
    reasons = [worker["missing"].get(f"{model} {version}") for worker in crew]
    reason = next((reason for reason in reasons if reason), "")
    accepting = any(worker["state"] == "accepting" for worker in crew)
    total = _histogram(workers, "phases", (model, version, "total"))
    batches, rows = _histogram(workers, "batches", (model, version)), _rows(workers, model, version)
    return EndpointView(
        model=model,
        version=route.arms[0].version,
        previous=route.previous.version if route.previous else None,
        ready=accepting and not reason,
        reason=reason or ("" if accepting else "no worker accepts requests yet"),
        requests=_requests(workers, model, version),
        errors=_requests(workers, model, version, least=500),
        rps=rps,
        logged=_logged(workers, model, "written"),
        dropped=_logged(workers, model, "dropped"),
        batch_rows=rows / sum(batches) if batches and sum(batches) else None,
        **{f"p{share}_ms": _milliseconds(total, share) for share in (50, 95, 99)},
    )


def _requests(workers: Iterable[Facts], model: str, version: str | None, least: int = 0) -> int:
    return sum(
        count
        for facts in workers
        for one, label, _, status, count in facts["requests"]
        if one == model and version in (None, label) and status >= least
    )


def _logged(workers: Iterable[Facts], model: str, outcome: str) -> int:
    return sum(count for facts in workers for *key, count in facts["log_predictions"] if key == [model, outcome])


def _rows(workers: Iterable[Facts], model: str, version: str) -> int:
    return sum(count for facts in workers for *key, count in facts["rows"] if key == [model, version])


def _histogram(workers: Iterable[Facts], name: str, key: tuple[str, ...]) -> list[int] | None:
    found: list[int] | None = None
    for facts in workers:
        for *parts, one in facts[name]:
            if tuple(parts) == key:
                found = one["counts"] if found is None else added(found, one["counts"])
    return found


def _milliseconds(counts: Sequence[int] | None, share: int) -> float | None:
    seconds = None if counts is None else quantile(SECONDS, counts, share / 100)
    return None if seconds is None else round(seconds * 1000, 3)
