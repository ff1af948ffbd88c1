"""Stays with every running attempt to its end: reads its spool, sees its death, minds its time, ends it when asked.

One thread. With nothing running it sleeps without waking up; else it looks at the spools ten times a second, and a
death wakes it at once.
"""

from __future__ import annotations

import logging
import math
import os
import select
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from daemon import attempts, memory
from daemon.children import Child, Status, fence, sweep
from daemon.ingest import Fenced, Place, TakeReport, ingest, only_stored
from store import events
from store.engine import Record
from store.errors import TrainshedError
from store.home import AttemptDir

POLL_S: Final = 0.1
TROUBLE_PAUSE_S: Final = 1.0
AFTER_TIMEOUT_S: Final = 1.0
"""From SIGTERM to SIGKILL for a run that has used up its time."""
log = logging.getLogger(__name__)


@dataclass
class Watched:
    """An attempt whose shim is held. Changed only by the supervisor's thread, `cancels` by others too."""

    place: Place
    directory: AttemptDir
    child: Child
    timeout_s: float | None
    stall_s: float | None
    memory: memory.Baseline
    cancels: int = 0
    """How often its end was asked for."""
    asked: int = 0
    """How often the shim was told."""
    over_at: float = math.inf
    """Monotonic seconds: when it has used up its time."""
    timed_out_at: float | None = None
    """Monotonic seconds."""
    last_news: float = 0.0
    """Monotonic seconds of its last event that says something."""
    stall_told: bool = False


class Supervisor:
    def __init__(self, record: Record, on_end: Callable[[], None], report: TakeReport = only_stored) -> None:
        """`on_end` is called after each attempt that was settled: there may be room for others. `report` takes those of
        monitors."""
        self._record = record
        self._report = report
        self._on_end = on_end
        self._watched: dict[int, Watched] = {}
        self._lock = threading.Lock()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Lets go of the running attempts; they go on without us."""
        self._stopping = True
        os.eventfd_write(self._wake, 1)
        self._thread.join()

    def watch(self, attempt: Watched) -> None:
        attempt.last_news = now = time.monotonic()
        if attempt.timeout_s is not None:
            attempt.over_at = now + attempt.timeout_s - attempt.child.identity.age()
        with self._lock:
            self._watched[attempt.place.run] = attempt
        os.eventfd_write(self._wake, 1)

    def cancel(self, run: int, *, again: bool = True) -> None:
        """Asks the attempt to end; asked `again`, its grace is over."""
        with self._lock:
            watched = self._watched.get(run)
            if watched is not None and (again or watched.cancels == 0):
                watched.cancels += 1
        os.eventfd_write(self._wake, 1)

    def pids(self) -> dict[int, int]:
        """Run → pid of its shim."""
        with self._lock:
            return {run: watched.child.identity.pid for run, watched in self._watched.items()}

    def _run(self) -> None:
        while not self._stopping:
            ended = self._wait()
            for watched in self._all():
                try:
                    self._mind(watched, watched.child.descriptor in ended)
                except TrainshedError as error:
                    # A full disk or a locked record: nothing is lost, the spool waits.
                    log.warning("run %s: %s", watched.place.run, error, extra={"action": "ingest"})
                    time.sleep(TROUBLE_PAUSE_S)
                except Exception:  # a fault of ours over one run must not leave all others unwatched
                    log.exception("run %s: the supervisor stumbled", watched.place.run)
                    time.sleep(TROUBLE_PAUSE_S)

    def _all(self) -> list[Watched]:
        with self._lock:
            return list(self._watched.values())

    def _wait(self) -> set[int]:
        """Until something happens, or it is time to look at the spools; the pidfds of the dead."""
        poll = select.poll()
        poll.register(self._wake, select.POLLIN)
        watched = self._all()
        for one in watched:
            poll.register(one.child.descriptor, select.POLLIN)
        ready = {descriptor for descriptor, _ in poll.poll(POLL_S * 1000 if watched else None)}
        if self._wake in ready:
            os.eventfd_read(self._wake)
        return ready

    def _mind(self, watched: Watched, dead: bool) -> None:
        if not dead:
            self._mind_time(watched)  # before its spool, which may wait for the record
        self._read(watched)
        if dead:
            self._end(watched)
        else:
            self._mind_silence(watched)

    def _read(self, watched: Watched) -> None:
        """Everything the spool has now."""
        while True:
            try:
                place = ingest(self._record, watched.directory, watched.place, self._report)
            except Fenced as refused:
                log.warning("a spool is refused: %s", refused)
                return
            if place.offset == watched.place.offset:
                return
            if place.news > watched.place.news:
                watched.last_news, watched.stall_told = time.monotonic(), False
            watched.place = place

    def _mind_time(self, watched: Watched) -> None:
        now = time.monotonic()
        if watched.timed_out_at is None and now > watched.over_at:
            watched.timed_out_at = now
            watched.cancels += 1
        elif watched.timed_out_at is not None and now > watched.timed_out_at + AFTER_TIMEOUT_S and watched.asked == 1:
            watched.cancels += 1
        while watched.asked < watched.cancels:
            watched.child.ask_to_end()
            watched.asked += 1

    def _mind_silence(self, watched: Watched) -> None:
        silent = time.monotonic() - watched.last_news
        if watched.stall_s is None or watched.stall_told or silent <= watched.stall_s:
            return
        run = watched.place.run
        what = f"run {run} has said nothing for {watched.stall_s:g} s; look at it with `trainshed runs logs {run}`"
        with self._record.transaction() as tx:
            events.append(tx, actor="daemon", kind="run.stalled", subject=f"run {run}", message=what)
        watched.stall_told = True

    def _end(self, watched: Watched) -> None:
        """After the death of its shim: kills what is left, settles, forgets."""
        place = watched.place
        if not fence(watched.directory):
            self._hold_the_other(watched)
            return
        sweep(place.nonce, watched.child.identity)
        self._read(watched)
        attempts.settle_attempt(
            self._record,
            run=place.run,
            number=place.attempt,
            directory=watched.directory,
            timed_out=watched.timed_out_at is not None,
            oom=watched.memory.verdict(Status.read(watched.directory)),
        )
        with self._lock:
            del self._watched[place.run]
        watched.child.close()
        self._on_end()

    def _hold_the_other(self, watched: Watched) -> None:
        """The attempt lives under another shim (the warm process answered late, and a cold start came second)."""
        status = Status.read(watched.directory)
        other = Child.hold(status.shim) if status is not None else None
        if other is not None:
            watched.child.close()
            watched.child = other
