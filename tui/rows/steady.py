"""Figures of a machine that only breathes stay as they are drawn: a figure is another one once it has changed by enough
to matter. Pure: what is shown and what was measured in, what to show out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pydantic import BaseModel

    from store.wire import BoxView, GpuView, ProcessView, SystemView

POINTS: Final = 5.0
"""Of a percentage."""
MEMORY: Final = 0.01
"""Of all there is."""
_OWN: Final = 0.05
"""Of a process's own memory."""
DISK: Final = 0.002
RATE: Final = 0.5
"""Of a rate that is more than `QUIET`."""
QUIET: Final = 20_000.0
"""Bytes a second. A box without work sends and writes less: a terminal, a clock, a log."""
_LOG: Final = 0.25
"""Of the record's log, which grows and is cut."""
_HANDS: Final = 4
"""Threads and open files, which come and go with each question."""


def near(shown: float | None, now: float | None, room: float) -> bool:
    """Whether the figure that is shown may stay. What was not measured is far from everything else."""
    if shown is None or now is None:
        return shown is now
    return abs(now - shown) <= room


def kept(shown: BaseModel, now: BaseModel, rooms: Mapping[str, float]) -> dict[str, object]:
    """The figures that stay as they are shown, of those that have so much room."""
    pairs = ((name, getattr(shown, name), getattr(now, name), room) for name, room in rooms.items())
    return {name: before for name, before, after, room in pairs if near(before, after, room)}


def box(shown: BoxView | None, now: BoxView) -> BoxView:
    """The box as it is to be drawn."""
    if shown is None:
        return now
    rooms = {
        "cpu_percent": POINTS,
        "memory_used": MEMORY * now.memory_total,
        "disk_free": DISK * now.disk_total,
        **{name: max(QUIET, RATE * (getattr(shown, name) or 0.0)) for name in ("received", "sent", "read", "written")},
    }
    before = {gpu.index: gpu for gpu in shown.gpus}
    gpus = [_gpu(before.get(gpu.index), gpu) for gpu in now.gpus]
    return now.model_copy(update={**kept(shown, now, rooms), "gpus": gpus})


def system(shown: SystemView | None, now: SystemView) -> SystemView:
    """The machine room as it is to be drawn: what there is is news at once, how much of it where it matters."""
    if shown is None:
        return now
    before = {process.pid: process for process in shown.processes}
    processes = [_process(before.get(process.pid), process) for process in now.processes]
    gpus = {share.gpu.index: share.gpu for share in shown.devices.gpus}
    shares = [
        share.model_copy(update={"gpu": _gpu(gpus.get(share.gpu.index), share.gpu)}) for share in now.devices.gpus
    ]
    daemon = {"rss": _OWN * now.daemon.rss, "threads": _HANDS, "open_files": _HANDS}
    record = {"bytes": MEMORY * now.record.bytes, "wal_bytes": _LOG * now.record.wal_bytes}
    return now.model_copy(
        update={
            "daemon": now.daemon.model_copy(update=kept(shown.daemon, now.daemon, daemon)),
            "record": now.record.model_copy(update=kept(shown.record, now.record, record)),
            "processes": processes,
            "devices": now.devices.model_copy(update={"gpus": shares}),
        }
    )


def _gpu(shown: GpuView | None, now: GpuView) -> GpuView:
    if shown is None:
        return now
    rooms = {"utilisation": POINTS, "memory_used": MEMORY * now.memory_total}
    return now.model_copy(update=kept(shown, now, rooms))


def _process(shown: ProcessView | None, now: ProcessView) -> ProcessView:
    if shown is None or shown.started_at != now.started_at:
        return now
    rooms = {"rss": _OWN * now.rss, "cpu_percent": max(POINTS, 0.1 * now.cpu_percent)}
    return now.model_copy(update=kept(shown, now, rooms))
