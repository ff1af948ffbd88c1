"""`/metrics` of the daemon: what the shed knows, in numbers, in the text format of Prometheus.

A pure function of what the record shows at one moment. Names and units are Prometheus's: seconds, bytes, `_total` for
what only grows. What endpoints answer is at the door of serving, see `pipeline.serving.metrics`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, get_args

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from daemon.api.needs import Facts
from store.wire import AlertView, MonitorView, NeedSeverity, NeedView, RunView, WaitKind, WatchWindowView
from store.words import ENDED, GOOD, SEVERITIES, AlertState, RunState

CONTENT_TYPE: Final = "text/plain; version=1.0.0; charset=utf-8; escaping=underscores"
_ALIVE: Final[tuple[RunState, ...]] = ("queued", "starting", "running")
Sample = tuple[tuple[str, ...], float]
"""Values of the labels, and the number."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What is told."""

    release: str
    started_at: datetime
    facts: Facts
    needs: Sequence[NeedView]
    runs: Mapping[RunState, int]
    """State → runs that are in it, of all that ever were."""
    ends: Mapping[RunState, int]
    """State → how often a run ended so."""
    watched: Sequence[tuple[MonitorView, WatchWindowView | None]] = ()
    """Monitors, each with its newest window."""
    alerts: Sequence[AlertView] = ()
    """Those that are not resolved."""


def exposition(shown: Shown) -> bytes:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Numbers(shown))
    return generate_latest(registry)


class _Numbers:
    """A collector of prometheus-client."""

    def __init__(self, shown: Shown) -> None:
        self._shown = shown

    def collect(self) -> Iterator[Metric]:
        yield from _of_the_daemon(self._shown)
        yield from _of_runs(self._shown)
        yield from _of_jobs(self._shown.facts.last)
        yield from _of_the_queue(self._shown.facts)
        yield from _of_schedules(self._shown.facts)
        yield from _of_tables(self._shown.facts)
        yield from _of_models(self._shown)
        yield from _of_monitors(self._shown.watched)
        yield from _of_alerts(self._shown.alerts)


def _of_the_daemon(shown: Shown) -> Iterator[Metric]:
    facts = shown.facts
    yield _gauge("daemon_info", "1, with the release as a label.", ("release",), [((shown.release,), 1)])
    yield _gauge("daemon_start_time_seconds", "When it started, since 1970.", (), [((), shown.started_at.timestamp())])
    yield _gauge("daemon_degraded", "1 while no new run is started.", (), [((), bool(facts.degraded))])
    yield _gauge(
        "endpoints_problem", "1 while what is served is not what should be.", (), [((), bool(facts.endpoints))]
    )
    if facts.free is not None:
        yield _gauge("disk_free_bytes", "On the disk of the home.", (), [((), facts.free)])
        yield _gauge("disk_least_bytes", "Below it no run is started (daemon.min_free).", (), [((), facts.min_free)])
    found = Counter(need.severity for need in shown.needs)
    severities: tuple[NeedSeverity, ...] = get_args(NeedSeverity)
    yield _gauge("needs", "Things that want a person.", ("severity",), [((one,), found[one]) for one in severities])


def _of_runs(shown: Shown) -> Iterator[Metric]:
    alive = [((state,), shown.runs.get(state, 0)) for state in _ALIVE]
    yield _gauge("runs", "Runs that have not ended.", ("state",), alive)
    # Not the runs that are in these states: who has one tried again takes it out of there, and a counter that goes
    # down is to Prometheus one that began anew: all that was ever counted would count once more.
    ended = [((state,), shown.ends.get(state, 0)) for state in sorted(ENDED)]
    yield _counter("runs_ended", "Ends of runs; one that was tried again counts each time.", ("state",), ended)


def _of_jobs(last: Iterable[RunView]) -> Iterator[Metric]:
    """Of each job's newest run; how long it took and when it ended only once it has. `job` is a label of Prometheus."""
    label = ("job_name",)
    ended = [(run, run.ended_at) for run in last if run.ended_at is not None]
    good = [((run.job,), float(run.state in GOOD)) for run, _ in ended]
    yield _gauge("job_last_run_good", "1 if the job's newest run did well.", label, good)
    moments = [((run.job,), at.timestamp()) for run, at in ended]
    yield _gauge("job_last_run_end_time_seconds", "When the job's newest run ended, since 1970.", label, moments)
    took = [((run.job,), (at - run.started_at).total_seconds()) for run, at in ended if run.started_at is not None]
    yield _gauge("job_last_run_seconds", "How long the job's newest run took.", label, took)


def _of_the_queue(facts: Facts) -> Iterator[Metric]:
    waits = Counter(one.wait for one in facts.queue)
    kinds: tuple[WaitKind, ...] = get_args(WaitKind)
    waiting = [((kind,), waits[kind]) for kind in kinds]
    yield _gauge("queue_waiting", "Runs at the head of the queue, by what they wait for.", ("for",), waiting)
    longest = max((one.waited_seconds for one in facts.queue if one.wait == "room"), default=0.0)
    yield _gauge("queue_longest_seconds", "Longest wait of a run that only needs room.", (), [((), longest)])


def _of_schedules(facts: Facts) -> Iterator[Metric]:
    """A schedule without a next time, or never fired, is left out there."""
    planned, label = facts.schedules, ("schedule",)
    on = [((one.name,), float(one.enabled and not one.broken)) for one in planned]
    yield _gauge("schedule_enabled", "1 if it fires; 0 if it is paused or broken.", label, on)
    failures = [((one.name,), one.failures) for one in planned]
    yield _gauge("schedule_failures", "Failed runs in a row.", label, failures)
    coming = [((one.name,), one.next_at.timestamp()) for one in planned if one.next_at is not None]
    yield _gauge("schedule_next_time_seconds", "When it fires next, since 1970.", label, coming)
    fired = [((one.name,), one.last_at.timestamp()) for one in planned if one.last_at is not None]
    yield _gauge("schedule_last_time_seconds", "When it fired last, since 1970.", label, fired)


def _of_tables(facts: Facts) -> Iterator[Metric]:
    made, label = facts.tables, ("dataset",)
    rows = [((one.name,), one.rows) for one in made if one.rows is not None]
    yield _gauge("dataset_rows", "Rows of the newest version.", label, rows)
    updated = [((one.name,), one.updated_at.timestamp()) for one in made if one.updated_at is not None]
    yield _gauge("dataset_update_time_seconds", "When the newest version was made, since 1970.", label, updated)
    newest = [((one.name,), one.newest.timestamp()) for one in made if one.newest is not None]
    yield _gauge("dataset_newest_time_seconds", "Newest value of its time column, since 1970.", label, newest)
    fresh = [((one.name,), float(one.freshness.stale)) for one in made if one.freshness is not None]
    yield _gauge("dataset_stale", "1 if it is older than it may be.", label, fresh)
    checks = [((one.name, outcome), count) for one in made for outcome, count in sorted(one.checks.items())]
    yield _gauge("dataset_checks", "Checks of the newest version.", ("dataset", "outcome"), checks)


def _of_models(shown: Shown) -> Iterator[Metric]:
    live, label = shown.facts.production, ("model",)
    yield _gauge(
        "production_version",
        "Number of the version in production.",
        label,
        [((one.model,), one.version) for one in live],
    )
    since = [((one.model,), one.since.timestamp()) for one in live]
    yield _gauge("production_since_time_seconds", "When it came into production, since 1970.", label, since)
    newest = [((one.model,), one.version) for one in shown.facts.newest]
    yield _gauge("newest_version", "Number of the newest version.", label, newest)
    judged = [(one, one.verdict) for one in shown.facts.newest]
    passed = [((one.model,), float(verdict.passed)) for one, verdict in judged if verdict is not None]
    yield _gauge("newest_version_passed", "1 if the newest version passed its gates.", label, passed)


def _of_monitors(watched: Sequence[tuple[MonitorView, WatchWindowView | None]]) -> Iterator[Metric]:
    """Of each monitor's last report, and of its newest window."""
    drifted = [((one.name,), float(one.state == "drifted")) for one, _ in watched if one.state in ("drifted", "steady")]
    yield _gauge("drifted", "1 if the monitor's last report says drifted.", ("monitor",), drifted)
    windows = [(one.name, str(window.version), window) for one, window in watched if window is not None]
    ends = [((name,), window.end.timestamp()) for name, _, window in windows]
    yield _gauge("watch_window_end_time_seconds", "End of the newest window, since 1970.", ("monitor",), ends)
    rows = [((name,), window.rows) for name, _, window in windows]
    yield _gauge("watch_window_rows", "Rows of the newest window.", ("monitor",), rows)
    labels = ("monitor", "version", "column", "measure")
    cells = [(name, version, column) for name, version, window in windows for column in window.columns]
    measures = [
        ((name, version, column.name, measure), value)
        for name, version, column in cells
        for measure, value in column.measures.items()
    ]
    yield _gauge("drift_measure", "A column of the newest window against the reference.", labels, measures)
    limits = [
        ((name, version, column.name, measure), value)
        for name, version, column in cells
        for measure, value in column.limits.items()
    ]
    yield _gauge("drift_limit", "From here on a measure counts.", labels, limits)
    yield from _of_answers(windows)


def _of_answers(windows: Sequence[tuple[str, str, WatchWindowView]]) -> Iterator[Metric]:
    """How good the newest window's answers were, and probably were."""
    found: list[Sample] = []
    covered: list[Sample] = []
    for name, version, window in windows:
        if window.performance is not None:
            found += [((name, version, one.metric, "measured"), one.value) for one in window.performance.metrics]
            if window.performance.coverage is not None:
                covered.append(((name,), window.performance.coverage))
        if window.estimate is not None:
            found += [((name, version, one.metric, "estimated"), one.value) for one in window.estimate.metrics]
    labels = ("monitor", "version", "metric", "how")
    yield _gauge("performance", "Metrics of the newest window: by its labels, and estimated without.", labels, found)
    yield _gauge("label_coverage", "Share of the newest window's rows with a label.", ("monitor",), covered)


def _of_alerts(alerts: Iterable[AlertView]) -> Iterator[Metric]:
    found = Counter((one.severity, one.state) for one in alerts)
    states: tuple[AlertState, ...] = ("open", "acknowledged")
    samples = [((severity, state), found[severity, state]) for severity in SEVERITIES for state in states]
    yield _gauge("alerts", "Alerts that are not resolved.", ("severity", "state"), samples)


def _gauge(name: str, what: str, labels: Sequence[str], samples: Iterable[Sample]) -> Metric:
    return _filled(GaugeMetricFamily(f"trainshed_{name}", what, labels=labels), samples)


def _counter(name: str, what: str, labels: Sequence[str], samples: Iterable[Sample]) -> Metric:
    return _filled(CounterMetricFamily(f"trainshed_{name}", what, labels=labels), samples)


def _filled(family: GaugeMetricFamily | CounterMetricFamily, samples: Iterable[Sample]) -> Metric:
    for labels, value in samples:
        family.add_metric(labels, value)
    return family
