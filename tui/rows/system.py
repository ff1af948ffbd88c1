"""The machine room as rows and lines: processes, devices, daemon, record, home, and the box over an hour. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tui.rows.box import level, rate
from tui.rows.words import STATES, about, bar, clock, since_epoch, size, span, stamp
from tui.table.column import Cell, Column, Frame
from tui.text import Line, line
from tui.themes import Tone

if TYPE_CHECKING:
    from store.wire import (
        BoxHistoryView,
        BoxPoint,
        BoxView,
        DevicesView,
        FindingView,
        FolderView,
        ProcessView,
        SystemView,
        Verdict,
    )

VERDICTS: Final[dict[Verdict, Cell]] = {
    "ok": Cell("✔ ok", "good"),
    "warn": Cell("! look", "warn"),
    "fail": Cell("✘ broken", "bad"),
}
_NAME: Final = 9
_FIGURES: Final = 34


@dataclass(frozen=True)
class Device:
    """A pool of slots, or a GPU."""

    name: str
    part: float
    used: str
    by: str
    full: bool


def process_columns() -> list[Column[ProcessView]]:
    return [
        Column(key="what", title="processes", width=14, draw=lambda p, _: Cell(process_name(p), "strong")),
        Column(key="name", title="of", width=16, grows=True, draw=lambda p, _: Cell(p.name)),
        Column(key="pid", title="pid", width=7, right=True, draw=lambda p, _: Cell(str(p.pid)), value=lambda p: p.pid),
        Column(key="state", title="state", width=10, draw=lambda p, _: STATES[p.state] if p.state else Cell("")),
        Column(
            key="memory",
            title="memory",
            width=8,
            right=True,
            draw=lambda p, _: Cell(size(p.rss)),
            value=lambda p: p.rss,
        ),
        Column(
            key="cpu",
            title="cpu",
            width=6,
            right=True,
            draw=lambda p, _: Cell(f"{p.cpu_percent:.0f}%"),
            value=lambda p: p.cpu_percent,
        ),
        Column(
            key="time",
            title="cpu time",
            width=8,
            right=True,
            extra=True,
            draw=lambda p, _: Cell(span(p.cpu_seconds)),
            value=lambda p: p.cpu_seconds,
        ),
        Column(
            key="since",
            title="since",
            width=12,
            extra=True,
            draw=lambda p, f: Cell(clock(p.started_at, f), "dim"),
            order=lambda p: since_epoch(p.started_at),
        ),
        Column(
            key="children",
            title="of its own",
            width=10,
            right=True,
            extra=True,
            draw=lambda p, _: Cell(str(p.processes)),
            order=lambda p: p.processes,
        ),
    ]


def process_name(process: ProcessView) -> str:
    if process.run is not None:
        return f"run {process.run} try {process.attempt}"
    return {"daemon": "daemon", "warm": "warm worker", "serving": process.name, "attempt": "worker"}[process.what]


def device_columns() -> list[Column[Device]]:
    return [
        Column(key="name", title="slots, devices", width=18, draw=lambda d, _: Cell(d.name, "strong")),
        Column(key="full", title="", width=10, sorts=False, draw=lambda d, _: Cell(bar(d.part, 10), "live")),
        Column(
            key="used",
            title="used",
            width=22,
            draw=lambda d, _: Cell(d.used, "warn" if d.full else ""),
            order=lambda d: d.part,
        ),
        Column(key="by", title="by", width=16, grows=True, draw=lambda d, _: Cell(d.by)),
    ]


def devices(view: DevicesView) -> list[Device]:
    pools = [
        Device(
            f"pool {pool.name}",
            pool.used / max(1, pool.limit),
            f"{pool.used} of {pool.limit} slots",
            f"{pool.waiting} wait" if pool.waiting else "",
            pool.used >= pool.limit and pool.waiting > 0,
        )
        for pool in view.pools
    ]
    gpus = [
        Device(
            f"gpu {share.gpu.index} {share.gpu.name}",
            share.gpu.memory_used / max(1, share.gpu.memory_total),
            f"{size(share.gpu.memory_used)} of {size(share.gpu.memory_total)}",
            ", ".join(f"run {lease.run} has {lease.memory:.0%}" for lease in share.leases),
            False,
        )
        for share in view.gpus
    ]
    return [*pools, *gpus]


def facts(view: SystemView, frame: Frame) -> list[Line]:
    """The daemon, its record, its home: a line or two each."""
    daemon, record = view.daemon, view.record
    grown = ", ".join(f"{about(number)} {name.replace('_', ' ')}s" for name, number in most(record.rows))
    backup = record.backup
    lines = [
        _fact("daemon", f"{daemon.version}, pid {daemon.pid}, since {stamp(daemon.started_at, frame)}"),
        _fact("", f"{size(daemon.rss)}, {daemon.threads} threads, {daemon.open_files} open files"),
    ]
    lines += [_fact("", f"! {daemon.degraded}", "warn")] if daemon.degraded else []
    lines += [
        _fact("record", f"{size(record.bytes)} and {size(record.wal_bytes)} of log, schema {record.schema_revision}"),
        _fact("", grown or "nothing in it yet"),
        _fact("backup", f"{clock(backup.at, frame)}, {size(backup.bytes)}, {backup.path}")
        if backup
        else _fact("backup", "! there is none yet: T on the job backup (Jobs, 7) makes one", "warn"),
        _fact("home", _home(view)),
    ]
    return lines


def most(rows: dict[str, int], number: int = 4) -> list[tuple[str, int]]:
    """The tables with the most rows."""
    return sorted(((name, rows_) for name, rows_ in rows.items() if rows_), key=lambda pair: -pair[1])[:number]


def _home(view: SystemView) -> str:
    if view.folders is None:
        return "is being measured"
    folders = sorted(view.folders.folders, key=lambda folder: -folder.bytes)
    return ", ".join(f"{folder.name} {_space(folder)}" for folder in folders if folder.bytes)


def _space(folder: FolderView) -> str:
    return size(folder.bytes) if folder.complete else f"over {size(folder.bytes)}"


def _fact(name: str, words: str, tone: Tone = "") -> Line:
    return line((f"  {name}".ljust(_NAME + 2), "dim"), (words, tone))


def charts(now: BoxView | None, past: BoxHistoryView | None, width: int, *, asking: bool = False) -> list[Line]:
    """A line a figure: its name, an hour of it, what it is now. `asking`: nobody has said yet whether there are any."""
    if now is None or past is None:
        return [line(("  …" if asking else "  the box is not measured yet", "dim"))]
    cells = max(10, width - _NAME - _FIGURES - 4)
    disk, net = (_pair(past, *names) for names in (("read", "written"), ("received", "sent")))
    rows: list[tuple[str, Sequence[float | None], float, str]] = [
        ("cpu", [p.cpu_percent for p in past.points], 100.0, f"{now.cpu_percent:.0f}% of {now.cpu_count} CPUs"),
        ("memory", _each(past, lambda p: p.memory_used), now.memory_total, _of(now.memory_used, now.memory_total)),
        ("disk", disk, _top(disk), f"{size(now.disk_free)} free, ↓{rate(now.written)} ↑{rate(now.read)}"),
        ("network", net, _top(net), f"↓{rate(now.received)} ↑{rate(now.sent)}"),
    ]
    if now.gpus:
        used, total = (sum(getattr(gpu, name) for gpu in now.gpus) for name in ("memory_used", "memory_total"))
        rows.append(("gpus", _each(past, lambda p: p.gpu_memory), max(1, total), _of(used, total)))
    return [
        line((f"  {name}".ljust(_NAME + 2), "dim"), (level(values, top, cells), "live"), "  ", words.ljust(_FIGURES))
        for name, values, top, words in rows
    ]


def chart_points(width: int) -> int:
    return max(10, width - _NAME - _FIGURES - 4)


def _each(past: BoxHistoryView, value: Callable[[BoxPoint], float | None]) -> list[float | None]:
    return [value(point) for point in past.points]


def _pair(past: BoxHistoryView, one: str, other: str) -> list[float | None]:
    """The sum of two rates; None where the first was not measured."""
    pairs = [(getattr(point, one), getattr(point, other)) for point in past.points]
    return [None if first is None else first + (second or 0.0) for first, second in pairs]


def _top(values: Sequence[float | None]) -> float:
    return max([1_000_000.0, *(value for value in values if value is not None)])


def _of(used: float, total: float) -> str:
    return f"{size(used)} of {size(total)}"


def finding_columns() -> list[Column[FindingView]]:
    return [
        Column(key="verdict", title="verdict", width=9, draw=lambda f, _: VERDICTS[f.verdict], order=_bad),
        Column(key="about", title="about", width=16, draw=lambda f, _: Cell(f.about, "strong")),
        Column(key="fact", title="what is so", width=24, grows=True, sorts=False, draw=lambda f, _: Cell(f.fact)),
    ]


def finding(found: FindingView) -> list[Line]:
    """One finding in full, with its remedy."""
    lines = [line((found.about, "strong"), "  ", VERDICTS[found.verdict]), line(found.fact)]
    return [*lines, line(("→ ", "key"), found.remedy)] if found.remedy else lines


def worst_first(findings: Sequence[FindingView]) -> list[FindingView]:
    return sorted(findings, key=_bad)


def _bad(found: FindingView) -> int:
    return ("fail", "warn", "ok").index(found.verdict)
