"""What a worker counts, in plain numbers; and `/metrics` from the numbers of all workers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Literal

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric

from pipeline.serving.batcher import Batch
from pipeline.serving.histogram import ROWS, SECONDS, Histogram

Facts = Mapping[str, Any]
"""A worker's numbers, as plain JSON."""
Door = Literal["rest", "plain", "grpc"]
Shadowed = Literal["answered", "failed", "dropped"]
CONTENT_TYPE: Final = b"text/plain; version=1.0.0; charset=utf-8; escaping=underscores"


class Metrics:
    """Of one worker; belongs to the thread of its event loop."""

    def __init__(self) -> None:
        self.requests: defaultdict[tuple[str, str, Door, int], int] = defaultdict(int)
        """(model, version, door, HTTP status) → how many."""
        self.succeeded_s: defaultdict[tuple[str, str], float] = defaultdict(float)
        """(model, version) → seconds that answers with 200 took."""
        self.slow: defaultdict[tuple[str, str], int] = defaultdict(int)
        """(model, version) → answers that took longer than is promised."""
        self.shadows: defaultdict[tuple[str, str, Shadowed], int] = defaultdict(int)
        """(model, version, what became of it) → copies."""
        self.rows: defaultdict[tuple[str, str], int] = defaultdict(int)
        self.phases: dict[tuple[str, str, str], Histogram] = {}
        self.batches: dict[tuple[str, str], Histogram] = {}
        self.cold: dict[str, tuple[int, float, float]] = {}
        """Model → cold starts, seconds of the last one, when it was (seconds since 1970)."""

    def answered(
        self, model: str, version: str, door: Door, status: int, seconds: float, *, slow: bool = False
    ) -> None:
        self.requests[model, version, door, status] += 1
        if status == 200:
            self.succeeded_s[model, version] += seconds
        if slow:
            self.slow[model, version] += 1
        self._phase(model, version, "total").observe(seconds)

    def shadowed(self, model: str, version: str, outcome: Shadowed, seconds: float | None = None) -> None:
        """A copy that nobody heard the answer of; `seconds` if it was run."""
        self.shadows[model, version, outcome] += 1
        if seconds is not None:
            self._phase(model, version, "shadow").observe(seconds)

    def cold_start(self, model: str, seconds: float, at: float) -> None:
        """A request had a model loaded, and had its answer after so long."""
        self.cold[model] = self.cold.get(model, (0, 0.0, 0.0))[0] + 1, seconds, at

    def batch(self, model: str, version: str, batch: Batch) -> None:
        self.rows[model, version] += batch.rows
        self._phase(model, version, "queue").observe(batch.waited_s)
        self._phase(model, version, "run").observe(batch.took_s)
        found = self.batches.get((model, version))
        if found is None:
            found = self.batches[model, version] = Histogram(ROWS)
        found.observe(batch.rows)

    def facts(self) -> dict[str, Any]:
        return {
            "requests": [[*key, count] for key, count in self.requests.items()],
            "slow": [[*key, count] for key, count in self.slow.items()],
            "shadows": [[*key, count] for key, count in self.shadows.items()],
            "rows": [[*key, count] for key, count in self.rows.items()],
            "phases": [[*key, one.facts()] for key, one in self.phases.items()],
            "batches": [[*key, one.facts()] for key, one in self.batches.items()],
            "cold": [[model, *one] for model, one in self.cold.items()],
        }

    def _phase(self, model: str, version: str, phase: str) -> Histogram:
        found = self.phases.get((model, version, phase))
        if found is None:
            found = self.phases[model, version, phase] = Histogram(SECONDS)
        return found


def exposition(workers: Iterable[Facts]) -> bytes:
    """All workers' numbers in the text format of Prometheus, each with the label of its worker."""
    registry = CollectorRegistry()
    registry.register(_Numbers(list(workers)))
    return generate_latest(registry)


class _Numbers:
    """A collector of prometheus-client."""

    def __init__(self, workers: Sequence[Facts]) -> None:
        self._workers = workers

    def collect(self) -> Iterator[Metric]:
        yield self._counter("requests", "Requests answered.", ("model", "version", "door", "status"))
        yield self._counter("slow", "Answers that took longer than is promised.", ("model", "version"))
        yield self._counter("shadows", "Copies for shadows, by what became of them.", ("model", "version", "outcome"))
        yield self._counter("rows", "Rows that models were run on.", ("model", "version"))
        yield self._histogram("phases", "phase_seconds", "Time of requests by phase.", SECONDS, ("phase",))
        yield self._histogram("batches", "batch_rows", "Rows in a run of a model.", ROWS, ())
        logged = "Lines of the prediction log, by what became of them."
        yield self._counter("log_predictions", logged, ("model", "outcome"))
        yield self._counter("labels", "Labels kept.", ("model",))
        yield from self._sleep()
        for key, name, what in _GAUGES:
            gauge = GaugeMetricFamily(f"trainshed_serving_{name}", what, labels=("worker",))
            for facts in self._workers:
                gauge.add_metric((facts["worker"],), facts[key])
            yield gauge
        compiled = CounterMetricFamily(
            "trainshed_serving_compilations_after_ready", "Programs compiled after it was ready.", labels=("worker",)
        )
        for facts in self._workers:
            compiled.add_metric((facts["worker"],), facts["compilations"])
        yield compiled

    def _sleep(self) -> Iterator[Metric]:
        """Of models that are let go of while nobody asks them."""
        prefix, labels = "trainshed_serving_", ("worker", "model")
        asleep = GaugeMetricFamily(f"{prefix}asleep", "1 while the next request has the model loaded.", labels=labels)
        starts = CounterMetricFamily(f"{prefix}cold_starts", "Requests that had their model loaded.", labels=labels)
        last = GaugeMetricFamily(
            f"{prefix}cold_start_seconds", "From such a request to its answer, the last time.", labels=labels
        )
        for facts in self._workers:
            for model, one in facts.get("asleep", ()):
                asleep.add_metric((facts["worker"], model), one)
            for model, count, seconds, _ in facts.get("cold", ()):
                starts.add_metric((facts["worker"], model), count)
                last.add_metric((facts["worker"], model), seconds)
        yield from (asleep, starts, last)

    def _counter(self, key: str, what: str, labels: Sequence[str]) -> Metric:
        family = CounterMetricFamily(f"trainshed_serving_{key}", what, labels=("worker", *labels))
        for facts in self._workers:
            for *values, count in facts.get(key, ()):  # a worker of the release before has fewer
                family.add_metric((facts["worker"], *map(str, values)), count)
        return family

    def _histogram(self, key: str, name: str, what: str, bounds: Sequence[float], more: Sequence[str]) -> Metric:
        labels = ("worker", "model", "version", *more)
        family = HistogramMetricFamily(f"trainshed_serving_{name}", what, labels=labels)
        for facts in self._workers:
            for *values, found in facts[key]:
                family.add_metric((facts["worker"], *values), _cumulative(bounds, found["counts"]), found["sum"])
        return family


def _cumulative(bounds: Sequence[float], counts: Sequence[int]) -> list[tuple[str, float]]:
    total, cells = 0, []
    for bound, count in zip((*map(str, bounds), "+Inf"), counts, strict=True):
        total += count
        cells.append((bound, float(total)))
    return cells


_GAUGES: Final = (
    ("epoch", "epoch", "Of the routing snapshot in force."),
    ("waiting_rows", "waiting_rows", "Rows that wait for a run now."),
    ("connections", "connections", "Open connections."),
    ("resident", "resident_versions", "Versions that are loaded and warm."),
    ("ready", "ready", "1 when every model of the snapshot can answer."),
    ("log_waiting", "log_waiting", "Lines of the prediction log that wait to be written."),
    ("loop_lag", "loop_lag_seconds", "How late the event loop was in the last second, at most."),
)
