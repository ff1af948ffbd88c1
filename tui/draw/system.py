"""The machine room as text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.text import Text

from store.wire import BoxHistoryView, DevicesView, FolderView, ProcessView, RecordView, SystemView
from tui.render import Heads, Rows, ago, count, heading, number_column, size, span, table, when, wide_column


def system(view: SystemView, now: datetime) -> RenderableType:
    """The daemon, its record, the home's folders, processes, pools and GPUs."""
    daemon = view.daemon
    parts: list[RenderableType] = [
        Text.assemble(("daemon", "bold"), f"  {daemon.version}, pid {daemon.pid}, up {span(now - daemon.started_at)}"),
        Text(
            f"{size(daemon.rss)} memory, cpu {daemon.cpu_percent:.1f} %, {daemon.threads} threads, "
            f"{daemon.open_files} open files, revision {daemon.revision:,}"
        ),
    ]
    parts += [Text(f"! {daemon.degraded}", style="yellow")] if daemon.degraded else []
    parts += [Text(""), heading("record"), *_record(view.record, now)]
    parts += [Text(""), heading("home"), _folders(view, now)]
    parts += [Text(""), heading("processes"), _processes(view.processes, now)]
    return Group(*parts, Text(""), heading("slots and devices"), _devices(view.devices))


def history(view: BoxHistoryView) -> RenderableType:
    rows: Rows = [
        [
            when(p.at),
            f"{p.cpu_percent:.0f} %",
            f"{p.cpu_peak:.0f} %",
            size(p.memory_used),
            size(p.disk_free),
            *(_rate(rate) for rate in (p.received, p.sent, p.read, p.written)),
        ]
        for p in view.points
    ]
    names = ("cpu", "peak", "memory", "disk free", "received", "sent", "read", "written")
    return table(["from", *(number_column(name) for name in names)], rows, empty="nothing was measured in this time")


def _record(record: RecordView, now: datetime) -> list[RenderableType]:
    counted = ", ".join(f"{count(number)} {name.replace('_', ' ')}" for name, number in record.rows.items() if number)
    backup = record.backup
    last = f"last backup {ago(backup.at, now)}, {size(backup.bytes)}, {backup.path}" if backup else "no backup yet"
    return [
        Text(f"{size(record.bytes)} and {size(record.wal_bytes)} of log, schema {record.schema_revision}"),
        Text(f"rows: {counted or 'none yet'}"),
        Text(f"SQLite {record.sqlite_fact}", style="" if record.sqlite_verdict == "ok" else "yellow"),
        Text(last, style="" if backup else "yellow"),
    ]


def _folders(view: SystemView, now: datetime) -> RenderableType:
    if view.folders is None:
        return Text("is being measured; ask again", style="dim")
    rows: Rows = [[f.name, _space(f), count(f.files), f.path] for f in view.folders.folders]
    heads: Heads = ["folder", number_column("on disk"), number_column("files"), wide_column("")]
    measured = Text(f"measured {ago(view.folders.at, now)}", style="dim")
    return Group(table(heads, rows, empty="nothing is in it yet"), measured)


def _space(folder: FolderView) -> str:
    return size(folder.bytes) if folder.complete else f"over {size(folder.bytes)}"


def _processes(processes: Sequence[ProcessView], now: datetime) -> RenderableType:
    rows: Rows = [
        [
            p.what if p.run is None else f"run {p.run}, attempt {p.attempt}",
            p.name,
            str(p.pid),
            p.state or "-",
            size(p.rss),
            f"{p.cpu_percent:.0f} %",
            span(p.cpu_seconds),
            span(now - p.started_at),
            str(p.processes),
        ]
        for p in processes
    ]
    numbers: Heads = [number_column(name) for name in ("memory", "cpu", "cpu time", "up", "processes")]
    return table(["process", "of", number_column("pid"), "state", *numbers], rows, empty="none")


def _devices(devices: DevicesView) -> RenderableType:
    rows: Rows = [
        [f"pool {p.name}", f"{p.used} of {p.limit} slots", f"{p.waiting} waiting" if p.waiting else "-"]
        for p in devices.pools
    ]
    shares: Rows = [
        [
            f"gpu {g.gpu.index} {g.gpu.name}",
            f"{g.gpu.utilisation:.0f} %, {size(g.gpu.memory_used)} of {size(g.gpu.memory_total)}",
            ", ".join(f"run {lease.run} has {lease.memory:.0%}" for lease in g.leases) or "-",
        ]
        for g in devices.gpus
    ]
    return table(["device", "used", wide_column("")], [*rows, *shares], empty="none")


def _rate(rate: float | None) -> str:
    return "-" if rate is None else f"{size(round(rate))}/s"
