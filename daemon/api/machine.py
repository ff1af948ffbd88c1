"""`/v1/system`, `/v1/box/history`, `/v1/doctor`: the machine room."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Final

from fastapi import Query
from sqlmodel import Session

from daemon.api.part import part
from daemon.api.shed import Here, Shed, Then
from daemon.dispatch import Lease
from store import lifecycle, queue, samples
from store.errors import StorageError
from store.times import to_us, us
from store.wire import (
    BoxHistoryView,
    DaemonView,
    DevicesView,
    DoctorView,
    GpuShareView,
    LeaseView,
    PoolView,
    SystemView,
)

router = part("system")
_FIRST_LOOK_S: Final = 1.0
"""How long the first question waits for the folders to be measured."""


@router.get("/system")
def system(shed: Here) -> SystemView:
    """The daemon, its record and folders, every process of ours, pools and devices."""
    daemon, identity = shed.daemon, shed.identity
    itself, processes = daemon.machine.processes()
    folders = daemon.machine.folders(_FIRST_LOOK_S)
    with daemon.record.read() as session:
        return SystemView(
            daemon=DaemonView(
                pid=identity.pid,
                version=identity.release,
                started_at=identity.started_at,
                rss=itself.usage.rss,
                cpu_percent=itself.usage.cpu_percent,
                cpu_seconds=itself.usage.cpu_seconds,
                threads=itself.threads,
                open_files=itself.open_files,
                revision=daemon.record.revision,
                degraded=daemon.degraded,
            ),
            record=daemon.machine.record(session),
            folders=folders,
            processes=processes,
            devices=devices(session, shed),
        )


@router.get("/box/history")
def box_history(
    shed: Here,
    minutes: Annotated[int, Query(ge=1, le=2880, description="How far back; the box is remembered for two days.")] = 60,
    points: Annotated[int, Query(ge=2, le=2000, description="At most so many.")] = 120,
    at: Then = None,
) -> BoxHistoryView:
    """CPU, memory, disk and network of the box over time, for charts: means, and peaks where they matter.

    Up to now, or with `at` up to then."""
    now = shed.now if at is None else to_us(at)
    with shed.daemon.record.read() as session:
        return samples.box_history(session, now - us(timedelta(minutes=minutes)), now + 1, points)


@router.get("/doctor")
def doctor(
    shed: Here, fresh: Annotated[bool, Query(description="Look now, whatever is remembered.")] = False
) -> DoctorView:
    """What `trainshed doctor` finds: within the last minute, or now."""
    found = shed.daemon.machine.doctor(fresh=fresh)
    if found is None:
        raise StorageError(
            "the doctor gave no answer", where="/v1/doctor", remedy="see the end of daemon.log, and `trainshed doctor`"
        )
    return found


def devices(session: Session, shed: Shed) -> DevicesView:
    """Slots of the pools and shares of the GPUs, and who holds them."""
    daemon = shed.daemon
    active, waiting = queue.active_runs(session), queue.waiting_by_pool(session)
    limits = dict(daemon.pools)
    used = dict.fromkeys(limits, 0)
    leases: dict[int, list[LeaseView]] = {}
    for run in active:
        used[run.pool] = used.get(run.pool, 0) + run.slots
        lease = Lease.from_json(lifecycle.get_attempt(session, run.id or 0, run.attempt).lease)
        if lease is not None:
            leases.setdefault(lease.gpu, []).append(LeaseView(run=run.id or 0, memory=lease.memory))
    box = daemon.box()
    return DevicesView(
        cpu_count=box.cpu_count,
        slots_used=sum(used.values()),
        slots=sum(limits.values()),
        pools=[
            PoolView(name=name, used=used.get(name, 0), limit=limits.get(name, 0), waiting=waiting.get(name, 0))
            for name in dict.fromkeys([*limits, *used, *waiting])
        ],
        gpus=[GpuShareView(gpu=gpu, leases=leases.get(gpu.index, [])) for gpu in box.gpus],
    )
