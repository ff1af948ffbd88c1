"""What the runs and the box use: measured every few seconds while something runs, once a minute at rest."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import psutil

from daemon.gpus import Gpus
from daemon.rates import Counts, Rates, count, rates
from daemon.roundsman import Roundsman
from daemon.usage import Tree
from store import samples
from store.engine import Record
from store.times import Clock, to_us, us
from store.wire import BoxView

REST_S: Final = 60.0
"""Between two measurements of the box when nothing runs."""
BOX_KEPT: Final = timedelta(days=2)
FINEST: Final = 2000
"""A run's samples are at least this fraction of its age apart: a week of training leaves some ten thousand rows."""


class Followed:
    """A run's processes, and when a sample of them was stored."""

    def __init__(self, shim: int) -> None:
        self._tree = Tree(shim)
        self._since = time.monotonic()
        self._stored_at = float("-inf")

    def measure(self, run: int, gpu_memory: dict[int, int]) -> samples.Sample | None:
        """None when the processes are gone. `gpu_memory`: pid → bytes."""
        found = self._tree.measure()
        if found is None:
            return None
        held = sum(gpu_memory.get(pid, 0) for pid in found.pids) if gpu_memory else None
        return samples.Sample(run=run, cpu_percent=found.cpu_percent, rss=found.rss, gpu_memory=held)

    def is_due(self) -> bool:
        """Whether a sample is worth a row by now."""
        now = time.monotonic()
        if now - self._stored_at < (now - self._since) / FINEST:
            return False
        self._stored_at = now
        return True


class Sampler(Roundsman):
    """Measures, and answers what the box does right now. Woken when something was started: the pace is a faster one."""

    def __init__(
        self, *, record: Record, clock: Clock, every: timedelta, pids: Callable[[], dict[int, int]], gpus: Gpus
    ) -> None:
        """`pids`: run → pid of its shim, of the runs that run now."""
        super().__init__("sampler", trouble="measurements are lost", action="sample", again_s=0.0, patience_s=None)
        self._record = record
        self._clock = clock
        self._every_s = every.total_seconds()
        self._pids = pids
        self._gpus = gpus
        self._followed: dict[int, Followed] = {}
        self._box: BoxView | None = None
        self._counts: Counts | None = None
        self._counted_at = 0.0
        self._measured = time.monotonic()
        self._lock = threading.Lock()

    def start(self) -> None:
        self._flow()  # the first count only starts the measurement
        super().start()

    def box(self) -> BoxView:
        """The machine now; measured again when the last look is older than a second."""
        with self._lock:
            at = self._clock()
            if self._box is None or at - self._box.at >= timedelta(seconds=1):
                self._box = measure_box(self._record.home.root, at, self._gpus, self._flow())
            return self._box

    def _flow(self) -> Rates:
        counted, moment = count(), time.monotonic()
        flow = rates(self._counts, counted, moment - self._counted_at)
        self._counts, self._counted_at = counted, moment
        return flow

    def _round(self) -> float:
        """Measures if it is time to; the pace may have become another one, and many starts are one measurement."""
        pids = self._pids()
        left = self._measured + (self._every_s if pids else REST_S) - time.monotonic()
        if left > 0.0:
            return left
        self._measured = time.monotonic()
        self._measure(pids)
        return 0.0

    def _measure(self, pids: dict[int, int]) -> None:
        self._followed = {run: self._followed.get(run) or Followed(pid) for run, pid in pids.items()}
        held = dict(self._gpus.memory_by_pid()) if pids else {}
        found = [one.measure(run, held) for run, one in self._followed.items() if one.is_due()]
        box = self.box()
        gpu_memory = sum(gpu.memory_used for gpu in box.gpus) if box.gpus else None
        now = samples.Sample(
            run=samples.BOX,
            cpu_percent=box.cpu_percent,
            rss=box.memory_used,
            gpu_memory=gpu_memory,
            disk_free=box.disk_free,
            received=box.received,
            sent=box.sent,
            read=box.read,
            written=box.written,
        )
        with self._record.transaction() as tx:
            samples.add_samples(tx, [now, *(sample for sample in found if sample is not None)])
            samples.forget_box_before(tx, to_us(self._clock()) - us(BOX_KEPT))


def measure_box(home: Path, at: datetime, gpus: Gpus, flow: Rates) -> BoxView:
    """Memory, disk of the home and GPUs now; `flow`: of processors, disks and networks since the last look."""
    memory, disk = psutil.virtual_memory(), shutil.disk_usage(home)
    return BoxView(
        at=at,
        cpu_percent=flow.cpu_percent,
        cpu_count=os.cpu_count() or 1,
        memory_used=memory.total - memory.available,
        memory_total=memory.total,
        disk_free=disk.free,
        disk_total=disk.total,
        received=flow.received,
        sent=flow.sent,
        read=flow.read,
        written=flow.written,
        gpus=gpus.views(),
    )
