"""Runs and jobs as text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.text import Text

from store.wire import ENDED, AttemptView, CompareView, Fault, LatestMetric, RunDetail, RunView
from tui.render import (
    Heads,
    Rows,
    ago,
    count,
    figure,
    heading,
    number_column,
    size,
    span,
    state,
    table,
    when,
    wide_column,
)


def run_table(runs: Sequence[RunView], now: datetime, *, empty: str = "no runs") -> RenderableType:
    rows: Rows = [
        [
            str(run.id),
            run.job,
            state(run.state),
            ago(run.created_at, now),
            took(run, now),
            f"{run.attempt}/{run.max_attempts}",
            run.actor if run.schedule is None else f"schedule {run.schedule}",
            progress(run),
        ]
        for run in runs
    ]
    heads: Heads = [number_column("run"), "job", "state", "asked for", "took", "try", "by", wide_column("")]
    return table(heads, rows, empty=empty)


def run_detail(detail: RunDetail, now: datetime) -> RenderableType:
    run = detail.run
    parts: list[RenderableType] = [
        Text.assemble(("run ", "bold"), (str(run.id), "bold"), "  ", run.job, "  ", state(run.state)),
        Text(f"asked for {when(run.created_at)} by {run.actor}" + _asked_by(run)),
        Text(f"took {took(run, now)}, try {run.attempt} of {run.max_attempts}, pool {run.pool}"),
    ]
    parts += [Text(words) for words in (progress(run),) if words]
    parts += [fault(run.fault)] if run.fault else []
    sections: list[tuple[str, RenderableType | None]] = [
        ("produced", Text(", ".join(detail.produced)) if detail.produced else None),
        ("settings", _settings(detail)),
        ("metrics", metric_table(detail.metrics) if detail.metrics else None),
        ("attempts", _attempts(detail.attempts, now) if len(detail.attempts) > 1 or run.state not in ENDED else None),
        ("artifacts", _artifacts(detail)),
        ("history", _history(detail)),
    ]
    for title, body in sections:
        if body is not None:
            parts += [Text(""), heading(title), body]
    return Group(*parts)


def fault(view: Fault) -> Text:
    """What went wrong, where, and what to do."""
    place = f"{view.where}: " if view.where else ""
    remedy = f"\n  → {view.remedy}" if view.remedy else ""
    return Text.assemble((f"{view.code}: ", "red bold"), f"{place}{view.what}{remedy}")


def metric_table(metrics: Sequence[LatestMetric]) -> RenderableType:
    rows: Rows = [[metric.name, count(metric.step), figure(metric.value)] for metric in metrics]
    return table(["metric", number_column("step"), number_column("latest")], rows, empty="no metrics")


def compare_table(view: CompareView) -> RenderableType:
    heads: Heads = ["", *(f"run {run.id}" for run in view.runs)]
    rows: Rows = [
        ["job", *(run.job for run in view.runs)],
        ["state", *(state(run.state) for run in view.runs)],
        *([name, *(_plain(value) for value in values)] for name, values in view.params.items()),
        *([name, *(figure(value) for value in values)] for name, values in view.metrics.items()),
    ]
    return table(heads, rows, empty="nothing to compare")


def progress(run: RunView) -> str:
    """Where a run is, or why it is where it is."""
    if run.state == "running" and run.done is not None:
        total = f"/{count(run.total)}" if run.total else ""
        left = f", {span(run.eta_seconds)} left" if run.eta_seconds is not None else ""
        words = f"{count(run.done)}{total} {run.unit}{left}".strip()
        return f"{words}  {run.message}".strip()
    silent = "silent for longer than its stall_timeout. " if run.stalled else ""
    return silent + (run.reason or run.message)


def took(run: RunView, now: datetime) -> str:
    if run.started_at is None:
        return "-"
    return span((run.ended_at or now) - run.started_at)


def _asked_by(run: RunView) -> str:
    if run.schedule is not None:
        return f", schedule {run.schedule} for {when(run.scheduled_for)}"
    return f", as upstream of run {run.group}" if run.trigger == "upstream" and run.group else ""


def _settings(detail: RunDetail) -> RenderableType | None:
    rows: Rows = [[name, _plain(value)] for name, value in detail.params.items()]
    return table(["name", wide_column("value")], rows, empty="") if rows else None


def _attempts(attempts: Sequence[AttemptView], now: datetime) -> RenderableType:
    rows: Rows = [
        [
            str(attempt.number),
            state(attempt.state),
            ago(attempt.started_at, now),
            "-" if attempt.exit_code is None else str(attempt.exit_code),
            size(attempt.peak_rss),
            span(attempt.cpu_seconds),
            attempt.reason,
        ]
        for attempt in attempts
    ]
    heads: Heads = ["try", "state", "started", number_column("exit"), "peak memory", "cpu", wide_column("")]
    return table(heads, rows, empty="not started yet")


def _artifacts(detail: RunDetail) -> RenderableType | None:
    rows: Rows = [[a.name, a.kind, size(a.bytes), a.path] for a in detail.artifacts]
    return table(["name", "kind", number_column("size"), "path"], rows, empty="") if rows else None


def _history(detail: RunDetail) -> RenderableType | None:
    rows: Rows = [[when(event.at), event.actor, event.message] for event in detail.events]
    return table(["at", "by", wide_column("")], rows, empty="") if rows else None


def _plain(value: object) -> str:
    return "-" if value is None else str(value)
