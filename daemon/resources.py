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


class Tree:
    """The processes of one run, over time."""

    def __init__(self, shim: int) -> None:
        self._shim = shim
        self._spent: dict[tuple[int, float], float] = {}
        self._at = time.monotonic()
        self._since = self._at
        self._stored_at = float("-inf")

    def measure(self, run: int, gpu_memory: dict[int, int]) -> samples.Sample | None:
        """CPU since the last call in percent of one CPU, resident bytes now; None when the processes are gone."""
        try:
            shim = psutil.Process(self._shim)
            processes = [shim, *shim.children(recursive=True)]
        except psutil.NoSuchProcess:
            return None
        spent: dict[tuple[int, float], float] = {}
        rss = 0
        for process in processes:
            try:
                times, key = process.cpu_times(), (process.pid, process.create_time())
                spent[key] = times.user + times.system
                rss += process.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        now = time.monotonic()
        used = sum(seconds - self._spent.get(key, 0.0) for key, seconds in spent.items())
        percent = 100 * used / max(now - self._at, 1e-3)
        self._spent, self._at = spent, now
        held = sum(gpu_memory.get(process.pid, 0) for process in processes) if gpu_memory else None
        return samples.Sample(run=run, cpu_percent=round(percent, 1), rss=rss, gpu_memory=held)

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
        self._trees: dict[int, Tree] = {}
        self._box: BoxView | None = None
        self._wake = threading.Event()
        self._stopping = False
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)

    def start(self) -> None:
        psutil.cpu_percent(None)  # the first call only starts the measurement
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
                self._box = measure_box(self._record.home.root, at, self._gpus)
            return self._box

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
        self._trees = {run: self._trees.get(run) or Tree(pid) for run, pid in pids.items()}
        held = dict(self._gpus.memory_by_pid()) if pids else {}
        found = [tree.measure(run, held) for run, tree in self._trees.items() if tree.is_due()]
        box = self.box()
        gpu_memory = sum(gpu.memory_used for gpu in box.gpus) if box.gpus else None
        now = samples.Sample(samples.BOX, box.cpu_percent, box.memory_used, gpu_memory)
        with self._record.transaction() as tx:
            samples.add_samples(tx, [now, *(sample for sample in found if sample is not None)])
            samples.forget_box_before(tx, to_us(self._clock()) - us(BOX_KEPT))


def measure_box(home: Path, at: datetime, gpus: Gpus) -> BoxView:
    """CPU since the last call, memory, disk of the home, GPUs."""
    memory, disk = psutil.virtual_memory(), shutil.disk_usage(home)
    return BoxView(
        at=at,
        cpu_percent=psutil.cpu_percent(None),
        cpu_count=os.cpu_count() or 1,
        memory_used=memory.total - memory.available,
        memory_total=memory.total,
        disk_free=disk.free,
        disk_total=disk.total,
        gpus=gpus.views(),
    )
