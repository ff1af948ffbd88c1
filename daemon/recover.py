"""What a daemon does first: adopts the attempts that live, settles those that died while nobody looked."""

from __future__ import annotations

import logging
import time
from typing import Final

from daemon.attempts import settle_attempt
from daemon.children import Child, ShimId, Status, fence, sweep
from daemon.ingest import Fenced, Place, TakeReport, ingest, only_stored
from daemon.memory import Baseline
from daemon.supervisor import Supervisor, Watched
from store import events, lifecycle, queue
from store.engine import Record
from store.errors import TrainshedError
from store.home import AttemptDir
from store.tables import Attempt, Run
from store.wire import Fault

log = logging.getLogger(__name__)
PATIENCE_S: Final = 5.0
"""How long a shim that holds its lock may take to say who it is."""


def recover(record: Record, supervisor: Supervisor, report: TakeReport = only_stored) -> None:
    """Every run that the record believes active is either watched afterwards, or has its end written down."""
    with record.read() as session:
        active = [(run, lifecycle.get_attempt(session, run.id or 0, run.attempt)) for run in queue.active_runs(session)]
    adopted = []
    for run, attempt in active:
        try:
            if take_up(record, supervisor, run, attempt, report):
                adopted.append(attempt.run)
        except TrainshedError:
            raise
        except Exception as error:  # whatever is wrong with what one run left, the daemon of all others starts
            log.exception("run %d cannot be taken up", attempt.run)
            _give_up(record, attempt, error)
    if adopted:
        which = ", ".join(map(str, adopted))
        with record.transaction() as tx:
            what = f"the daemon started and found run {which} alive: it goes on"
            events.append(tx, actor="daemon", kind="daemon.adopted", subject="daemon", message=what)


def take_up(record: Record, supervisor: Supervisor, run: Run, attempt: Attempt, report: TakeReport) -> bool:
    """An active attempt is watched afterwards (True), or has its end written down. Raises StorageError, RecordBusy."""
    watched = _adopt(record, run, attempt)
    if watched is None:
        _bury(record, attempt, report)
        return False
    supervisor.watch(watched)
    return True


def _give_up(record: Record, attempt: Attempt, error: Exception) -> None:
    """Ends what may live of an attempt, and says in its place how it ended."""
    sweep(attempt.nonce, session=None)
    what = f"what it left cannot be read: {type(error).__name__}: {error}"
    remedy = (
        f"look at {record.home.attempt(attempt.run, attempt.number).root}, then `trainshed runs retry {attempt.run}`"
    )
    with record.transaction() as tx:
        lifecycle.settle(tx, attempt.run, "lost", reason=what, fault=Fault(code="Ended", what=what, remedy=remedy))


def _adopt(record: Record, run: Run, attempt: Attempt) -> Watched | None:
    """The attempt in our care; None if no shim lives in it, and then none ever will."""
    directory = record.home.attempt(attempt.run, attempt.number)
    deadline = time.monotonic() + PATIENCE_S
    while directory.root.is_dir() and not fence(directory):
        status = Status.read(directory)
        identity = _identity(status, attempt)
        child = Child.hold(identity) if identity is not None else None
        if child is not None:
            return Watched(
                place=_place(attempt),
                directory=directory,
                child=child,
                timeout_s=run.timeout_s,
                stall_s=run.stall_s,
                memory=Baseline.now(),
                cancels=1 if run.cancel_requested else 0,
                asked=min(1, status.asked) if status is not None else 0,
            )
        if time.monotonic() > deadline:
            return None
        time.sleep(0.02)
    return None


def _identity(status: Status | None, attempt: Attempt) -> ShimId | None:
    if status is not None and status.nonce == attempt.nonce:
        return status.shim
    if attempt.pid is not None and attempt.pid_created is not None:
        return ShimId(boot_id=attempt.boot_id, pid=attempt.pid, created=attempt.pid_created)
    return None


def _place(attempt: Attempt) -> Place:
    return Place(
        run=attempt.run,
        attempt=attempt.number,
        nonce=attempt.nonce,
        offset=attempt.spool_offset,
        sequence=attempt.spool_seq,
    )


def _bury(record: Record, attempt: Attempt, report: TakeReport) -> None:
    """Stores what it still said and settles it."""
    directory: AttemptDir = record.home.attempt(attempt.run, attempt.number)
    status = Status.read(directory)
    sweep(attempt.nonce, session=None)
    place = _place(attempt)
    while True:
        try:
            further = ingest(record, directory, place, report)
        except Fenced:
            break
        if further.offset == place.offset:
            break
        place = further
    oom = Baseline(kills=None).verdict(status)
    settle_attempt(record, run=attempt.run, number=attempt.number, directory=directory, oom=oom)
