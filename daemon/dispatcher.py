"""The thread that starts runs: asks `dispatch.choose`, and carries out what it says."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from functools import partial
from typing import Any, Final, cast

from sqlmodel import Session, col, select

from daemon.attempts import note_shim, write_order
from daemon.children import Child, ShimId, start_cold
from daemon.dispatch import Busy, Choice, Lease, Start, Waiting, choose
from daemon.ingest import Place, TakeReport
from daemon.memory import Baseline
from daemon.recordfacts import record_facts
from daemon.recover import take_up
from daemon.roundsman import Roundsman
from daemon.supervisor import Supervisor, Watched
from daemon.warmth import WarmWorkers, near
from pipeline.config import Project
from pipeline.config.jobs import jobs_of, pools_of
from pipeline.config.schedules import JobSection
from pipeline.process.spec import RunSpec
from pipeline.process.warm import Libraries
from store import lifecycle, queue
from store.disk import is_full
from store.engine import Record
from store.errors import RecordBusy, StorageError, TrainshedError
from store.home import AttemptDir
from store.tables import Run
from store.times import SECOND, Clock, to_us
from store.wire import Fault
from store.words import DeviceChoice, JobKind

CHECK_AGAIN_S: Final = 5.0
"""While something waits for what gives no sign when it comes, such as disk space."""
LOAD_AGAIN_S: Final = 0.1
"""While libraries are loaded for the runs that could start."""
_LOADING: Final = "waits until its libraries are loaded, a few seconds"
log = logging.getLogger(__name__)


class Dispatcher(Roundsman):
    """Woken when something was queued, or something ended. While its rounds stumble nothing is started, and a stop
    returns when a start that is under way is complete."""

    def __init__(
        self,
        *,
        record: Record,
        clock: Clock,
        project: Callable[[], Project],
        supervisor: Supervisor,
        warm: WarmWorkers,
        gpus: Callable[[], list[int]],
        degraded: Callable[[], str | None],
        on_start: Callable[[], None],
        report: TakeReport,
    ) -> None:
        """`project`: as it stands now; `gpus`: their indexes; `degraded`: why no run may start, or None; `report` takes
        those of monitors."""
        super().__init__(
            "dispatcher",
            trouble="nothing could be started",
            action="dispatch",
            again_s=CHECK_AGAIN_S,
            patience_s=None,
        )
        self._record = record
        self._clock = clock
        self._project = project
        self._supervisor = supervisor
        self._warm = warm
        self._gpus = gpus
        self._degraded = degraded
        self._on_start = on_start
        self._report = report
        self._owed: dict[int, Callable[[], None]] = {}
        """Run → the end of an attempt that never began, until the record could take it."""

    def _round(self) -> float | None:
        """Starts what may start; seconds until it is worth looking again, None: only when woken."""
        self._pay()
        now = to_us(self._clock())
        with self._record.read() as session:
            ready = queue.ready_runs(session, now)
            active = queue.active_runs(session)
            twins = _twins(session, active, ready)
            due = queue.next_start(session, now)
            leases = {run.id: lifecycle.get_attempt(session, run.id or 0, run.attempt).lease for run in active}
            kinds = queue.kinds_towards(session, ready)
        choice = self._choose(ready, active, leases)
        if ready and self._project().daemon.warm_workers:
            self._warm.prepare(self._near(kinds, ready))
        rows = {run.id: run for run in ready}
        loading = {start.run: _LOADING for start in choice.starts if self._is_loading(rows[start.run])}
        self._explain({**choice.waits, **loading, **twins})
        starts = [start for start in choice.starts if start.run not in loading]
        for start in starts:
            self._start(rows[start.run], start)
        if choice.starts:
            return 0.0 if starts else LOAD_AGAIN_S
        soonest = (due - now) / SECOND if due is not None else None
        return CHECK_AGAIN_S if choice.waits and (soonest is None or soonest > CHECK_AGAIN_S) else soonest

    def _is_loading(self, run: Run) -> bool:
        """Its place is kept meanwhile."""
        return self._project().daemon.warm_workers and self._warm.is_loading(cast(JobKind, run.kind))

    def _near(self, kinds: set[JobKind], ready: list[Run]) -> list[Libraries]:
        by_hand = [run.job for run in ready if run.trigger == "manual"]
        return near(kinds, by_hand, jobs_of(self._project()) if by_hand else {})

    def _choose(self, ready: list[Run], active: list[Run], leases: dict[int | None, dict[str, Any] | None]) -> Choice:
        busy = [
            Busy(run=r.id or 0, job=r.job, pool=r.pool, slots=r.slots, lease=Lease.from_json(leases[r.id]))
            for r in active
        ]
        pools, gpus = pools_of(self._project()), self._gpus() if ready else []
        return choose([self._waiting(r) for r in ready], busy, pools, gpus, self._degraded())

    def _waiting(self, run: Run) -> Waiting:
        wants_gpu = run.kind in ("train", "evaluate") and self._device(run) in ("auto", "gpu")
        return Waiting(
            run=run.id or 0,
            job=run.job,
            priority=run.priority,
            pool=run.pool,
            slots=run.slots,
            gpu_memory=self._settings(run).gpu_memory if wants_gpu else None,
        )

    def _settings(self, run: Run) -> JobSection:
        return self._project().jobs.get(run.job, JobSection())

    def _device(self, run: Run) -> DeviceChoice:
        model = self._project().models.get(run.target)
        return self._settings(run).device or (model.device if model is not None else "auto")

    def _explain(self, reasons: dict[int, str]) -> None:
        """Puts the reasons for waiting where everybody sees them."""
        if not reasons:
            return
        with self._record.read() as session:
            rows = session.exec(select(Run).where(col(Run.id).in_(reasons)))
            stale = {row.id: reasons[row.id] for row in rows if row.id is not None and row.reason != reasons[row.id]}
        if stale:
            with self._record.transaction() as tx:
                for run, reason in stale.items():
                    queue.explain_wait(tx, run, reason)

    # ------------------------------------------------------------------------------------------------- one start

    def _start(self, run: Run, start: Start) -> None:
        assert run.id is not None
        with self._record.transaction() as tx:
            if queue.get_run(tx.session, run.id).state != "queued":
                return  # cancelled since we looked
            lease = start.lease.as_json() if start.lease is not None else None
            attempt = lifecycle.start_attempt(tx, run.id, secrets.token_hex(16), lease)
            number, nonce = attempt.number, attempt.nonce
        directory = self._record.home.attempt(run.id, number)
        try:
            write_order(directory, self._order(run, number, nonce, start.lease))
            baseline = Baseline.now()
            child = self._spawn(cast(JobKind, run.kind), directory)
        except (OSError, TrainshedError) as error:
            self._owe(run.id, partial(self._could_not, run.id, error))
            return
        except Exception as error:  # a fault of ours in one run's order ends that run, and no other's start
            log.exception("the order of run %d could not be written", run.id)
            self._owe(run.id, partial(self._could_not, run.id, _stumbled(error)))
            return
        place = Place(run=run.id, attempt=number, nonce=nonce, offset=0, sequence=0)
        if child is None:
            self._owe(run.id, partial(self._take_up, run.id, number))
            return
        self._supervisor.watch(
            Watched(
                place=place,
                directory=directory,
                child=child,
                timeout_s=run.timeout_s,
                stall_s=run.stall_s,
                memory=baseline,
            )
        )
        if note_shim(self._record, run.id, number, child.identity):
            self._supervisor.cancel(run.id)
        self._on_start()

    def _spawn(self, kind: JobKind, directory: AttemptDir) -> Child | None:
        """The shim, warm if that works; None if it has gone already, whatever it did."""
        warm: ShimId | None = None
        if self._project().daemon.warm_workers:
            warm = self._warm.spawn(kind, directory)
        if warm is not None:
            return Child.hold(warm)
        identity, process = start_cold(directory)
        return Child.hold(identity, process)

    def _order(self, run: Run, number: int, nonce: str, lease: Lease | None) -> RunSpec:
        assert run.id is not None
        project = self._project()
        with self._record.read() as session:
            facts = record_facts(session, run, project)
        return RunSpec(
            run=run.id,
            attempt=number,
            nonce=nonce,
            job=run.job,
            kind=cast(JobKind, run.kind),
            target=run.target,
            project=project.root,
            home=self._record.home.root,
            params=run.params,
            force=run.force,
            device=self._device(run),
            gpu=lease.gpu if lease is not None else None,
            gpu_memory=lease.memory if lease is not None else 1.0,
            log_bytes=project.daemon.log_bytes,
            grace_s=project.daemon.grace.total_seconds(),
            context=facts,
        )

    def _owe(self, run: int, settle: Callable[[], None]) -> None:
        """Ends an attempt that has no process; a record that is full or locked now is told in a later round."""
        self._owed[run] = settle
        self._pay()

    def _pay(self) -> None:
        for run in list(self._owed):
            settle = self._owed.pop(run)
            try:
                settle()
            except (StorageError, RecordBusy):
                self._owed[run] = settle
                raise

    def _take_up(self, run: int, number: int) -> None:
        """An attempt whose shim was gone before it could be held: all of it is done, likely, and is in its spool."""
        with self._record.read() as session:
            row, attempt = queue.get_run(session, run), lifecycle.get_attempt(session, run, number)
        take_up(self._record, self._supervisor, row, attempt, self._report)

    def _could_not(self, run: int, error: OSError | TrainshedError) -> None:
        what = error.what if isinstance(error, TrainshedError) else f"no process could be started: {error.strerror}"
        remedy = error.remedy if isinstance(error, TrainshedError) else "`trainshed doctor` looks at disk and limits"
        full = is_full(error)
        fault = Fault(code=getattr(error, "code", "DiskFull" if full else "StorageError"), what=what, remedy=remedy)
        with self._record.transaction() as tx:
            asked_by = queue.get_run(tx.session, run).cancel_requested
            if asked_by is not None:  # meanwhile; put back, it would be started once more, only to be ended
                lifecycle.settle(tx, run, "cancelled", reason=f"cancelled by {asked_by}", counted=False)
                return
            # It waits in the queue until there is space; nothing was tried, so nothing is counted.
            again = tx.now + int(CHECK_AGAIN_S * SECOND) if full else None
            lifecycle.settle(tx, run, "failed", reason=what, fault=fault, retry_at=again, counted=not full)


def _stumbled(error: Exception) -> StorageError:
    what = f"its order could not be written, which is a fault of ours: {type(error).__name__}: {error}"
    return StorageError(what, where="daemon.log", remedy="the traceback is there; please report it, and run it again")


def _twins(session: Session, active: list[Run], ready: list[Run]) -> dict[int, str]:
    """Runs that wait because the same job runs or is before them: only one of its kind may write its table."""
    holders = {run.job: run for run in [*ready, *active] if run.kind in queue.ALONE}
    unexplained = col(Run.reason).in_(["", _LOADING])
    rows = session.exec(select(Run).where(Run.state == "queued", col(Run.job).in_(holders), unexplained))
    now_first = {run.id for run in ready}
    return {
        row.id: f"waits for {row.job} (run {holders[row.job].id})"
        for row in rows
        if row.id is not None and row.id not in now_first
    }
