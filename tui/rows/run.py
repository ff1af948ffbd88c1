"""One run in full, as lines: its head, and what it was given, tried, kept and made."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from tui.rows.runs import asked_by, progress, why_it_failed
from tui.rows.words import STATES, clock, count, figure, size, span, stamp
from tui.table.column import Cell, Column, Frame
from tui.text import Line, heading, line, pairs
from tui.themes import Tone

if TYPE_CHECKING:
    from store.wire import AttemptView, EventView, LatestMetric, RunDetail, RunView

UNMEASURED: Final = "nothing was measured"
_LONG: Final = 60


def objective_of(names: Iterable[str]) -> str | None:
    """The score on the validation rows, else the loss there, else the loss while it trains; None without any."""
    known = sorted(names)
    scores = [name for name in known if name.startswith("validation/") and name != "validation/loss"]
    return next((name for name in (*scores, "validation/loss", "train/loss") if name in known), None)


def head(run: RunView, frame: Frame) -> list[Line]:
    """Two lines that say the most."""
    words = progress(run, frame)
    fault = run.fault
    if fault is not None:
        words = Cell(f"{fault.what}  → {fault.remedy}" if fault.remedy else fault.what, "bad")
    return [
        line(
            STATES[run.state],
            "   ",
            (run.job, "strong"),
            (f"   try {run.attempt} of {run.max_attempts}", "dim"),
            (f"   {times(run, frame)}", "dim"),
        ),
        line(words),
    ]


def times(run: RunView, frame: Frame) -> str:
    """When it was asked for, began and ended."""
    asked = f"asked for {clock(run.created_at, frame)} by {asked_by(run)}"
    if run.started_at is None:
        return asked
    if run.ended_at is None:
        return f"since {clock(run.started_at, frame)}, {asked}"
    took = span((run.ended_at - run.started_at).total_seconds())
    return f"{clock(run.started_at, frame)} to {clock(run.ended_at, frame)}, {took}; {asked}"


def facts(found: RunDetail, frame: Frame) -> list[Line]:
    """Everything but the curves and the events."""
    return [
        *_section("why it failed", why_it_failed(found.run)),  # the head has no room for all of it on a narrow screen
        *_section("metrics, newest", metrics(found.metrics)),
        *_section("attempts", attempts(found.attempts, frame)),
        *_section("checkpoints", checkpoints(found, frame)),
        *_section("made", made(found)),
        *_section("parameters", parameters(found.params)),
        *_section("run", run_facts(found.run, frame)),
    ]


def _section(name: str, lines: Sequence[Line]) -> list[Line]:
    return [heading(name), *lines, line()] if lines else []


def run_facts(run: RunView, frame: Frame) -> list[Line]:
    return pairs(
        [
            ("asked for", f"{stamp(run.created_at, frame)} by {asked_by(run)}"),
            ("started", stamp(run.started_at, frame)),
            ("ended", stamp(run.ended_at, frame)),
            ("pool", f"{run.pool}, priority {run.priority}"),
        ]
    )


def metrics(found: Sequence[LatestMetric]) -> list[Line]:
    """Name, newest value, step; those that are no clock first."""
    ordered = sorted(found, key=lambda metric: (metric.name.startswith("time/"), metric.name))
    width = max((len(metric.name) for metric in ordered), default=0) + 2
    return [
        line((metric.name.ljust(width), "dim"), f"{figure(metric.value):>9}", (f"  at {count(metric.step)}", "dim"))
        for metric in ordered
    ]


def attempts(found: Sequence[AttemptView], frame: Frame) -> list[Line]:
    lines: list[Line] = []
    for one in found:
        lines.append(line(f"{one.number}  ", STATES[one.state], f"  {clock(one.started_at, frame)}", f"  {_used(one)}"))
        if one.reason:
            lines.append(line(f"   {one.reason}"))
    return lines


def _used(one: AttemptView) -> str:
    end = f"signal {one.signal}" if one.signal is not None else "" if one.exit_code is None else f"exit {one.exit_code}"
    cpu = f"{span(one.cpu_seconds)} CPU" if one.cpu_seconds is not None else ""
    rss = f"{size(one.peak_rss)} at most" if one.peak_rss is not None else ""
    pid = f"pid {one.pid}" if one.pid is not None and one.ended_at is None else ""
    return ", ".join(part for part in (pid, end, cpu, rss) if part)


def checkpoints(found: RunDetail, frame: Frame) -> list[Line]:
    """Newest first."""
    return [
        line(f"step {count(one.step):>9}", (f"  {size(one.bytes):>7}  {clock(one.at, frame)}  {one.digest[:8]}", "dim"))
        for one in reversed(found.checkpoints)
    ]


def made(found: RunDetail) -> list[Line]:
    lines = [line((name, "strong")) for name in found.produced]
    lines += [line(f"{one.name}  ", (f"{one.kind}, {size(one.bytes)}, {one.path}", "dim")) for one in found.artifacts]
    if found.depends_on:
        lines.append(line(("after ", "dim"), "run " + ", ".join(map(str, found.depends_on))))
    return lines


def parameters(params: Mapping[str, Any]) -> list[Line]:
    return pairs([(name, value_of(params[name])) for name in sorted(params)])


def value_of(value: Any) -> str:
    """A plain value as one writes it, cut where it is long."""
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _LONG else text[: _LONG - 1] + "…"


def event_columns() -> list[Column[EventView]]:
    return [
        Column(
            key="at",
            title="at",
            width=12,
            draw=lambda e, f: Cell(clock(e.at, f), "dim"),
            value=lambda e: e.at.isoformat(),
        ),
        Column(key="kind", title="what", width=16, draw=lambda e, _: Cell(e.kind, _tone(e.kind))),
        Column(key="message", title="message", width=30, grows=True, sorts=False, draw=lambda e, _: Cell(e.message)),
        Column(key="actor", title="by", width=10, extra=True, draw=lambda e, _: Cell(e.actor, "dim")),
    ]


def _at(event: EventView, frame: Frame) -> Cell:
    return Cell(clock(event.at, frame), "dim")


def _tone(kind: str) -> Tone:
    bad = {"run.failed", "run.lost", "run.upstream_failed"}
    return "bad" if kind in bad else "good" if kind == "run.succeeded" else ""


def pages(ids: Sequence[str], here: str) -> list[Line]:
    """The panes of a narrow screen, which shows one of them."""
    parts = [Cell(f" {id} ", "key" if id == here else "dim") for id in ids]
    return [line(*parts, ("  Tab: the next", "dim"))]
