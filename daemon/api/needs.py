"""What wants a person: a pure judgement over what the record shows, each with the command that acts on it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from daemon.shadows import Idle
from store.wire import (
    AlertSeverity,
    AlertView,
    AliasView,
    CheckView,
    ComparisonView,
    DatasetView,
    NeedAction,
    NeedSeverity,
    NeedTarget,
    NeedView,
    QueuedView,
    RunView,
    ScheduleView,
    VersionView,
)
from store.words import RunState

MOST: Final = 50
"""Needs that are told; nobody works through more."""
STUCK: Final = timedelta(minutes=30)
"""A run that could start and has waited for so long is stuck."""
_NAMED: Final = 3
"""Alerts of a need; of the others it tells how many there are."""
LOW_DISK: Final = 2
"""Times `daemon.min_free` from which on the disk is getting full."""
_BAD: Final[frozenset[RunState]] = frozenset({"failed", "lost"})
"""A run that failed because of its upstream is not named: its upstream is."""
Do = tuple[NeedAction, str]
"""The same for programs and for people."""
_OF_ALERTS: Final[Mapping[AlertSeverity, NeedSeverity]] = {"critical": "fail", "warning": "warn", "info": "note"}
_ORDER: Final[tuple[NeedSeverity, ...]] = ("fail", "warn", "note")


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the record and the box show."""

    now: datetime
    last: Sequence[RunView] = ()
    """Each job's newest run."""
    schedules: Sequence[ScheduleView] = ()
    newest: Sequence[VersionView] = ()
    """Each model's newest version."""
    production: Sequence[AliasView] = ()
    candidates: Sequence[AliasView] = ()
    """Where the alias `candidate` points."""
    was_live: Collection[tuple[str, int]] = ()
    """(model, version) that were ever in production."""
    tables: Sequence[DatasetView] = ()
    """With their freshness."""
    checks: Sequence[CheckView] = field(default=())
    """What the checks of each table found the last time."""
    compared: Sequence[ComparisonView] = ()
    """Each model's newest comparison."""
    shadows: Sequence[Idle] = ()
    """That do not run."""
    alerts: Sequence[AlertView] = ()
    """Unresolved ones."""
    queue: Sequence[QueuedView] = ()
    degraded: str | None = None
    endpoints: str | None = None
    """Why what is served is not what should be, or None."""
    free: int | None = None
    """Bytes on the disk of the home."""
    min_free: int = 0


def needs(facts: Facts) -> list[NeedView]:
    """What wants a person: the worst first, of equal ones the newest. One thing is told once, and `MOST` at most."""
    found: dict[tuple[str, str, int | None], NeedView] = {}
    for need in _all(facts):
        found.setdefault((need.target.kind, need.target.name, need.target.number), need)
    # What is so now has no beginning, and comes before what has one.
    return sorted(
        found.values(),
        key=lambda need: (_ORDER.index(need.severity), need.at is not None, -need.at.timestamp() if need.at else 0.0),
    )[:MOST]


def _all(facts: Facts) -> Iterator[NeedView]:
    """The more pressing reason first: of two about the same thing it is the one that is told."""
    yield from _of_the_box(facts)
    yield from _of_alerts(facts.alerts, facts.now)
    yield from _of_runs(facts.last)
    yield from _of_schedules(facts.schedules)
    told = {run.id for run in facts.last if run.state in _BAD}
    yield from _of_checks(facts.checks, told)
    yield from _of_tables(facts)
    yield from _of_the_queue(facts.queue)
    yield from _of_comparisons(facts)
    yield from _of_shadows(facts.shadows)
    yield from _of_candidates(facts)
    yield from _of_versions(facts)


def _of_the_box(facts: Facts) -> Iterator[NeedView]:
    target = NeedTarget(kind="daemon", name="")
    if facts.degraded:
        yield _need("daemon", "fail", facts.degraded, ("doctor", "trainshed doctor"), target)
    elif facts.free is not None and facts.free < LOW_DISK * facts.min_free:
        message = (
            f"the disk has {facts.free / 1e9:.1f} GB free; below {facts.min_free / 1e9:.1f} GB (daemon.min_free) "
            "no run is started"
        )
        yield _need("daemon", "warn", message, ("look", "trainshed system"), target)
    if facts.endpoints:
        served = NeedTarget(kind="daemon", name="endpoints")
        yield _need("endpoints", "fail", facts.endpoints, _look("trainshed endpoints"), served)


def _of_alerts(alerts: Iterable[AlertView], now: datetime) -> Iterator[NeedView]:
    """Those that nobody has acknowledged: who knows of one needs not be told. Several of a kind that one look has found
    are one need: when summer comes, fifteen columns move."""
    together: dict[tuple[str, str, str], list[AlertView]] = {}
    for alert in alerts:
        if alert.acknowledged_at is None or alert.acknowledged_at > now:
            together.setdefault((alert.source, alert.kind, alert.severity), []).append(alert)
    for found in together.values():
        yield _of_one_alert(found[0]) if len(found) == 1 else _of_several_alerts(found)


def _of_one_alert(alert: AlertView) -> NeedView:
    target = NeedTarget(kind="alert", name=alert.model or alert.source, number=alert.id)
    message = f"{alert.title}: {alert.reason}"
    do: Do = ("acknowledge", f"trainshed alerts ack {alert.id}")
    return _need(f"alert {alert.id}", _OF_ALERTS[alert.severity], message, do, target, alert.opened_at)


def _of_several_alerts(found: Sequence[AlertView]) -> NeedView:
    """The first ones by number are named; the command shows them all."""
    ordered = sorted(found, key=lambda one: one.id)
    first = ordered[0]
    named = ", ".join(one.title for one in ordered[:_NAMED])
    more = f" and {len(ordered) - _NAMED} more" if len(ordered) > _NAMED else ""
    target = NeedTarget(kind="alert", name=first.model or first.source, number=first.id)
    look = "trainshed alerts list" + (f" --model {first.model}" if first.model else "")
    subject, message = f"alerts of {first.source}", f"{len(ordered)} alerts: {named}{more}"
    return _need(subject, _OF_ALERTS[first.severity], message, _look(look), target, first.opened_at)


def _of_runs(last: Iterable[RunView]) -> Iterator[NeedView]:
    for run in last:
        subject, do = f"run {run.id}", _look(f"trainshed runs show {run.id}")
        target = NeedTarget(kind="run", name=run.job, number=run.id)
        if run.state in _BAD:
            why = f": {run.fault.what}" if run.fault else f": {run.reason}" if run.reason else ""
            yield _need(subject, "fail", f"{run.job} {run.state}{why}", do, target, run.ended_at)
        elif run.stalled:
            message = f"{run.job} has said nothing for longer than its stall_timeout"
            yield _need(subject, "warn", message, do, target)


def _of_schedules(schedules: Iterable[ScheduleView]) -> Iterator[NeedView]:
    for schedule in schedules:
        subject = f"schedule {schedule.name}"
        target = NeedTarget(kind="schedule", name=schedule.name)
        if schedule.broken:
            message = f"{subject}: {schedule.broken}"
            yield _need(subject, "fail", message, ("check", "trainshed check"), target, schedule.last_at)
        elif not schedule.enabled and schedule.failures:
            message = f"{subject} is paused: {schedule.paused_reason}"
            do: Do = ("resume", f"trainshed schedules resume {schedule.name}")
            yield _need(subject, "fail", message, do, target, schedule.last_at)


def _of_checks(checks: Iterable[CheckView], told: Collection[int]) -> Iterator[NeedView]:
    """A sentence for each table. Those of a run that failed are told by the run (`told`): its fault names them."""
    broken: dict[str, list[CheckView]] = {}
    for check in checks:
        if check.outcome != "pass" and not (check.version is None and check.run in told):
            broken.setdefault(check.dataset, []).append(check)
    for dataset, found in broken.items():
        severity: NeedSeverity = "fail" if any(check.outcome == "fail" for check in found) else "warn"
        message = f"{dataset}: " + "; ".join(f"{check.check}: {check.detail}" for check in found)
        target = NeedTarget(kind="dataset", name=dataset)
        yield _need(dataset, severity, message, _look(f"trainshed data checks {dataset}"), target, found[0].at)


def _of_tables(facts: Facts) -> Iterator[NeedView]:
    """What is stale because of what it is made from, or whose run failed or check said so already, is told by that."""
    stale = {table.name for table in facts.tables if table.freshness is not None and table.freshness.stale}
    failed = {run.job for run in facts.last if run.state in _BAD}
    told = {check.dataset for check in facts.checks if check.kind == "freshness" and check.outcome != "pass"}
    for table in facts.tables:
        fresh, job = table.freshness, f"{'features' if table.kind == 'feature view' else 'etl'}:{table.name}"
        if fresh is None or not fresh.stale or fresh.age_seconds is None:
            continue
        # A dataset may have the name of the source that it is made from.
        if job in failed or table.name in told or stale & (set(table.made_from) - {table.name}):
            continue
        since = facts.now - timedelta(seconds=fresh.age_seconds - fresh.allowed_seconds)
        do: Do = ("run", f"trainshed run {job} --upstream")
        message = f"{table.name} is stale: {fresh.reason}"
        yield _need(table.name, "warn", message, do, NeedTarget(kind="job", name=job), since)


def _of_the_queue(queue: Iterable[QueuedView]) -> Iterator[NeedView]:
    """One need, by the run that has waited longest; what waits for other runs or for its time is as it should be."""
    stuck = [one for one in queue if one.wait == "room" and one.waited_seconds > STUCK.total_seconds()]
    if stuck:
        longest = max(stuck, key=lambda one: one.waited_seconds)
        others = f", and {len(stuck) - 1} more" if len(stuck) > 1 else ""
        minutes = longest.waited_seconds / 60
        message = (
            f"run {longest.run.id} ({longest.run.job}) has waited for {minutes:.0f} minutes{others}: {longest.why}"
        )
        target = NeedTarget(kind="queue", name="")
        yield _need("queue", "warn", message, _look("trainshed queue"), target, longest.run.created_at)


def _of_versions(facts: Facts) -> Iterator[NeedView]:
    """One that was live and is not any more was taken back by somebody: it waits for nobody."""
    live = {alias.model: alias.version for alias in facts.production}
    for version in facts.newest:
        model, number = version.model, version.version
        if version.verdict is None or (model, number) in facts.was_live or number <= live.get(model, 0):
            continue
        name, target = f"{model} {number}", NeedTarget(kind="version", name=model, number=number)
        if version.verdict.passed:
            message = f"version {number} of {model} passed its gates and waits"
            yield _need(name, "note", message, ("plan", f"trainshed plan {name}"), target, version.created_at)
        else:
            failing = ", ".join(gate.gate for gate in version.verdict.gates if gate.outcome == "fail")
            message = f"version {number} of {model} was refused by its gates: {failing}"
            yield _need(
                name, "warn", message, _look(f"trainshed versions {model} show {number}"), target, version.created_at
            )


def _of_comparisons(facts: Facts) -> Iterator[NeedView]:
    """What was taken back, until somebody has seen it or production has moved; what waits to be promoted."""
    moved = {alias.model: alias.since for alias in facts.production}
    for one in facts.compared:
        model, version = one.model, one.treatments[0].version
        name, target = f"{model} {version}", NeedTarget(kind="version", name=model, number=version)
        experiment = f"experiment {one.name} of {model}" if one.kind == "experiment" else ""
        if one.status in ("rolled back", "invalid") and one.ended_at is not None and not one.seen_by:
            if model not in moved or moved[model] <= one.ended_at:
                what = "was ended as invalid" if one.status == "invalid" else f"has taken version {version} back"
                message = f"{experiment} {what}" if experiment else f"the canary of {name} was taken back"
                look = f"trainshed experiment show {one.name}" if experiment else "trainshed endpoints"
                yield _need(name, "fail", f"{message}: {one.reason}", _look(look), target, one.ended_at)
        elif one.status == "running" and one.passed:
            won = f"{experiment} is decided: version {version} has won" if experiment else ""
            message = won or f"the canary of {name} has passed its stages"
            do: Do = ("plan", f"trainshed plan {name}")
            yield _need(name, "note", f"{message} and waits to be promoted", do, target, one.since)


def _of_shadows(idle: Iterable[Idle]) -> Iterator[NeedView]:
    """What answers goes on without them, so nobody would notice."""
    for one in idle:
        name = f"{one.model} {one.version}"
        target = NeedTarget(kind="version", name=one.model, number=one.version)
        message = f"the shadow {name} does not run: {one.why}"
        yield _need(name, "warn", message, _look(f"trainshed shadow {one.model}"), target, one.since)


def _of_candidates(facts: Facts) -> Iterator[NeedView]:
    """Somebody put a version forward; somebody has to decide."""
    live = {alias.model: alias.version for alias in facts.production}
    for alias in facts.candidates:
        if live.get(alias.model) == alias.version:
            continue
        name = f"{alias.model} {alias.version}"
        target = NeedTarget(kind="version", name=alias.model, number=alias.version)
        why = f": {alias.reason}" if alias.reason else f", put forward by {alias.actor}"
        message = f"version {alias.version} waits as candidate{why}"
        yield _need(name, "note", message, ("plan", f"trainshed plan {name}"), target, alias.since)


def _look(command: str) -> Do:
    return "look", command


def _need(
    subject: str,
    severity: NeedSeverity,
    message: str,
    do: Do,
    target: NeedTarget,
    at: datetime | None = None,
) -> NeedView:
    return NeedView(
        subject=subject,
        severity=severity,
        message=message,
        action=do[0],
        command=do[1],
        target=target,
        at=at,
    )
