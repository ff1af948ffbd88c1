"""A machine that stands still, for pictures: what the daemon would measure of the box that runs the tests differs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from store.wire import (
    BoxHistoryView,
    BoxPoint,
    BoxView,
    DaemonView,
    DevicesView,
    FoldersView,
    FolderView,
    GpuShareView,
    GpuView,
    LeaseView,
    PoolView,
    ProcessView,
    RecordView,
    SystemView,
)

_AT: Final = datetime(2026, 6, 15, 12, tzinfo=UTC)
_GB: Final = 1_000_000_000
_GPU: Final = GpuView(index=0, name="H100", memory_used=31 * _GB, memory_total=80 * _GB, utilisation=64.0)
BOX: Final = BoxView(
    at=_AT,
    cpu_percent=37.0,
    cpu_count=16,
    memory_used=52 * _GB,
    memory_total=128 * _GB,
    disk_free=410 * _GB,
    disk_total=1_000 * _GB,
    received=1_200.0,
    sent=45_000.0,
    read=0.0,
    written=2_300_000.0,
    gpus=[_GPU],
)
HISTORY: Final = BoxHistoryView(
    since=_AT - timedelta(hours=1),
    step_seconds=120,
    points=[
        BoxPoint(
            at=_AT - timedelta(minutes=60 - 2 * number),
            cpu_percent=(number * 37) % 100,
            cpu_peak=100,
            memory_used=(30 + number) * _GB,
            disk_free=410 * _GB,
            received=20_000.0 * number,
            sent=1_000.0,
            read=1_000.0,
            written=100_000.0 * (number % 7),
            gpu_memory=(number % 5) * 16 * _GB,
        )
        for number in range(30)
    ],
)
SYSTEM: Final = SystemView(
    daemon=DaemonView(
        pid=4_000,
        version="0.1.0",
        started_at=_AT - timedelta(days=3),
        rss=96_000_000,
        cpu_percent=0.4,
        cpu_seconds=812.0,
        threads=9,
        open_files=25,
        revision=628,
        degraded=None,
    ),
    record=RecordView(
        path="/srv/shop/.trainshed/trainshed.db",
        bytes=4_200_000,
        wal_bytes=33_000,
        rows={"metric": 48_120, "resource_sample": 9_001, "event": 1_204, "run": 64},
        sqlite="3.53.0",
        sqlite_verdict="ok",
        sqlite_fact="3.53.0",
        schema_revision="lists",
        backup=None,
    ),
    folders=FoldersView(
        at=_AT,
        folders=[
            FolderView(name="lake", path="/srv/shop/.trainshed/lake", bytes=15_900_000, files=36, complete=True),
            FolderView(
                name="checkpoints", path="/srv/shop/.trainshed/checkpoints", bytes=3_200_000, files=69, complete=True
            ),
        ],
    ),
    processes=[
        ProcessView(
            what="daemon",
            name="trainshedd",
            pid=4_000,
            rss=96_000_000,
            cpu_percent=0.4,
            cpu_seconds=812.0,
            processes=1,
            started_at=_AT - timedelta(days=3),
        ),
        ProcessView(
            what="attempt",
            name="train:late",
            pid=4_711,
            run=13,
            attempt=2,
            state="running",
            rss=1_200_000_000,
            cpu_percent=187.0,
            cpu_seconds=3_010.0,
            processes=3,
            started_at=_AT - timedelta(minutes=36),
        ),
    ],
    devices=DevicesView(
        cpu_count=16,
        slots_used=2,
        slots=4,
        pools=[
            PoolView(name="default", used=2, limit=2, waiting=1),
            PoolView(name="light", used=0, limit=2, waiting=0),
        ],
        gpus=[GpuShareView(gpu=_GPU, leases=[LeaseView(run=13, memory=0.5)])],
    ),
)
