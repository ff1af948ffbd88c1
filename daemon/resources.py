"""What the runs and the box use: measured every few seconds while something runs, once a minute at rest."""

from __future__ import annotations

import logging
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
from daemon.usage import Tree
from store import samples
from store.engine import Record
from store.errors import TrainshedError
from store.times import Clock, to_us, us
from store.wire import BoxView

REST_S: Final = 60.0
"""Between two measurements of the box when nothing runs."""
BOX_KEPT: Final = timedelta(days=2)
FINEST: Final = 2000
"""A run's samples are at least this fraction of its age apart: a week of training leaves some ten thousand rows."""
log = logging.getLogger(__name__)


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


class Sampler:
    """A thread that measures, and answers what the box does right now."""

    def __init__(
        self, *, record: Record, clock: Clock, every: timedelta, pids: Callable[[], dict[int, int]], gpus: Gpus
    ) -> None:
        """`pids`: run → pid of its shim, of the runs that run now."""
        self._record = record
        self._clock = clock
        self._every_s = every.total_seconds()
        self._pids = pids
        self._gpus = gpus
        self._followed: dict[int, Followed] = {}
        self._box: BoxView | None = None
        self._counts: Counts | None = None
        self._counted_at = 0.0
        self._wake = threading.Event()
        self._stopping = False
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)

    def start(self) -> None:
        self._flow()  # the first count only starts the measurement
        self._thread.start()

    def stop(self) -> None:
        self._stopping = True
        self._wake.set()
        self._thread.join()

    def wake(self) -> None:
        """Something was started: measure at the faster pace."""
        self._wake.set()

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

    def _run(self) -> None:
        measured = time.monotonic()
        while not self._stopping:
            due = measured + (self._every_s if self._pids() else REST_S)
            if self._wake.wait(max(0.0, due - time.monotonic())):
                self._wake.clear()  # the pace is another one now; many starts in a moment are still one measurement
                continue
            measured = time.monotonic()
            try:
                self._measure(self._pids())
            except TrainshedError as error:
                log.warning("measurements are lost: %s", error, extra={"action": "sample"})
            except Exception:  # a fault of ours must not end the measuring of all runs
                log.exception("the sampler stumbled")

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
