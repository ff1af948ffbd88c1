"""The Overview and its news as plain lines, for pipes and screen readers: each says by itself what it is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from store.wire import AliasView, BoxView, EventView, Interval, LatestMetric, RunView, ScheduleView, StatusView
from tui.render import count, size, span, when

Metrics = Mapping[tuple[str, int], tuple[str, Interval | None]]


def overview(view: StatusView, metrics: Metrics, now: datetime) -> list[str]:
    """What needs a person first, then what is live, what runs and waits, what comes, and the box.

    `metrics`: (model, version) → the model's objective and what the version reached.
    """
    health = view.degraded or "it works"
    lines = [f"{view.project}: {health}; daemon {view.version}, pid {view.pid}, since {when(view.started_at)}"]
    lines += [f"needs you: {need.message}: {need.command}" for need in view.needs_you] or ["needs you: nothing"]
    lines += [_live(alias, metrics) for alias in view.production] or ["in production: nothing yet"]
    lines += [f"running: {run_words(run)}" for run in view.running] or ["running: nothing"]
    lines += [f"waiting: {run_words(run)}" for run in view.waiting]
    lines += [_coming(schedule, now) for schedule in view.next_schedules] or ["next: nothing is scheduled"]
    lines += [f"box: {_box(view.box)}"] if view.box else []
    return [_one(line) for line in lines]


def run_words(run: RunView) -> str:
    """A run, its state, and how far it is or why it is there."""
    words = f"run {run.id} of {run.job} is {run.state}"
    if run.state == "running" and run.done is not None:
        total = f" of {count(run.total)}" if run.total else ""
        words += f", {count(run.done)}{total} {run.unit}".rstrip()
        words += f", {span(run.eta_seconds)} left" if run.eta_seconds is not None else ""
    if run.stalled:
        words += ", silent for longer than its stall_timeout"
    said = run.reason or run.message
    return f"{words}: {said}" if said else words


def event(view: EventView) -> str:
    return _one(f"{when(view.at)} {view.subject}: {view.message}, by {view.actor}")


def progress(run: RunView, metrics: Sequence[LatestMetric], now: datetime) -> str:
    """How far a run is, with the newest value of each of its metrics."""
    values = ", ".join(f"{m.name} {m.value:.4g}" for m in metrics if m.value is not None)
    return _one(f"{when(now)} {run_words(run)}" + (f"; {values}" if values else ""))


def _live(alias: AliasView, metrics: Metrics) -> str:
    name, value = metrics.get((alias.model, alias.version), ("", None))
    reached = f", {name} {value.value:.4g} ({value.low:.4g} to {value.high:.4g})" if value else ""
    why = f": {alias.reason}" if alias.reason else ""
    since = f"since {when(alias.since)} by {alias.actor}"
    return f"in production: {alias.model} version {alias.version}{reached}, {since}{why}"


def _coming(schedule: ScheduleView, now: datetime) -> str:
    left = f", in {span(schedule.next_at - now)}" if schedule.next_at and schedule.next_at > now else ""
    return f"next: {schedule.name} runs {schedule.job} at {when(schedule.next_at)}{left}"


def _box(box: BoxView) -> str:
    parts = [
        f"cpu {box.cpu_percent:.0f}% of {box.cpu_count}",
        f"memory {size(box.memory_used)} of {size(box.memory_total)}",
        f"disk {size(box.disk_free)} free of {size(box.disk_total)}",
        *(f"gpu {g.index} {g.utilisation:.0f}%, {size(g.memory_used)} of {size(g.memory_total)}" for g in box.gpus),
    ]
    return ", ".join(parts)


def _one(line: str) -> str:
    """On one line, and nothing in it that commands a terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in " ".join(line.split()))
