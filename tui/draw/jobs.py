"""Jobs, the queue and timetables as text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.text import Text

from store.wire import BackfillPlan, JobView, PastRun, QueueView, TimetableView
from tui.draw.runs import run_table
from tui.render import Heads, Rows, ago, glyph, heading, number_column, span, state, table, when, wide_column


def job_table(jobs: Sequence[JobView], now: datetime) -> RenderableType:
    rows: Rows = [
        [
            job.name,
            state(job.last.state) if job.last else Text("never run", style="dim"),
            ago(job.last.created_at, now) if job.last else "-",
            strip(job.history),
            span(job.expected_seconds),
            job.pool,
            ", ".join(job.schedules) or "-",
            ", ".join(job.upstream) or "-",
        ]
        for job in jobs
    ]
    heads: Heads = ["job", "last run", "when", "before", number_column("takes"), "pool", "schedules"]
    return table([*heads, wide_column("builds upon")], rows, empty="the project defines no jobs")


def strip(runs: Sequence[PastRun], most: int = 12) -> Text:
    """The newest run to the right, a glyph each (`runs` has the newest first)."""
    words = Text()
    for run in reversed(runs[:most]):
        words.append_text(glyph(run.state))
    return words or Text("-")


def queue(view: QueueView, now: datetime) -> RenderableType:
    rows: Rows = [
        [str(q.place), str(q.run.id), q.run.job, str(q.run.priority), q.run.pool, span(q.waited_seconds), q.why]
        for q in view.waiting
    ]
    numbers: Heads = [number_column("place"), number_column("run")]
    heads: Heads = [*numbers, "job", number_column("priority"), "pool", "waits for", wide_column("because")]
    parts: list[RenderableType] = [table(heads, rows, empty="nothing waits")]
    if view.total > len(view.waiting):
        parts.append(Text(f"and {view.total - len(view.waiting):,} more", style="dim"))
    if view.running:
        parts += [Text(""), heading("running"), run_table(view.running, now)]
    return Group(*parts)


def timetable(views: Sequence[TimetableView], now: datetime) -> RenderableType:
    rows: Rows = [
        [
            v.schedule.name,
            v.schedule.job,
            strip(v.runs),
            span(v.expected_seconds),
            ", ".join(when(at) for at in v.coming) or v.schedule.broken or v.schedule.paused_reason or "-",
        ]
        for v in views
    ]
    heads: Heads = ["schedule", "job", "before", number_column("takes"), wide_column("to come")]
    return table(heads, rows, empty="the project defines no schedules")


def backfill(view: BackfillPlan) -> RenderableType:
    """What would be queued, and what is there already."""
    rows: Rows = [
        [when(t.at), "new run" if t.run is None else f"run {t.run}", state(t.state) if t.state else "-"]
        for t in view.times
    ]
    parts: list[RenderableType] = [
        heading(f"{view.schedule}: {view.job}, {when(view.start)} to {when(view.end)}"),
        table(["time", "run", wide_column("state")], rows, empty="the schedule has no times in this span"),
        Text(f"{view.new} runs would be queued, behind everything that is due"),
    ]
    if view.left:
        parts.append(Text(f"{view.left:,} more times have no run: raise --limit, or ask again afterwards"))
    return Group(*parts)
