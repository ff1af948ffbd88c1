"""The running parts together. The API and `daemon.main` use only this.

dispatcher   starts what waits                     supervisor   stays with what runs, to its end
scheduler    queues what is due                    sampler      measures
endpoints    has versions in production served      predictions  reads what they logged into the lake
canaries     go up, and come back at harm          labels       keeps the truth that arrives later
replays      has candidates answer logged requests
experiments  looks at versions that are compared, and decides
counts       writes down what endpoints have answered
press ahead  compiles what may be promoted next
retrained    lets versions that a rule has trained come forward, if they are better
retention    removes old runs, and old windows of monitors
notifier     tells channels of alerts        heartbeat    tells an outside service that all is well
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

from daemon import definitions, orders
from daemon.backfill import backfill
from daemon.canaries import Canaries
from daemon.claim import claim_due
from daemon.daemonalerts import LIFE, of_death
from daemon.disk import free_bytes, shortage, too_full
from daemon.dispatcher import Dispatcher
from daemon.doors import Doors
from daemon.endpoints import Endpoints
from daemon.experiments import Experiments
from daemon.gpus import Gpus
from daemon.heartbeat import Heartbeat
from daemon.machineroom import MachineRoom
from daemon.notify import Notifier
from daemon.predictionlog import PredictionReader
from daemon.pressahead import PressAhead
from daemon.recover import recover
from daemon.replays import Replays
from daemon.reports import Reports
from daemon.resources import Sampler
from daemon.retention import Retention
from daemon.retrained import Retrained
from daemon.scheduler import Scheduler
from daemon.servingsampler import ServingSampler
from daemon.servingview import ServingRoom
from daemon.shadows import ShadowWatch
from daemon.supervisor import Supervisor
from daemon.warmth import WarmWorkers
from pipeline.config import Project, load_project
from pipeline.config.jobs import Job, jobs_of, pools_of
from pipeline.labels.box import LabelBox
from store import alerts, alive, events, lifecycle, queue, runs
from store.ballast import ROOM_BYTES
from store.engine import Record, Transaction
from store.errors import ProjectError, Refused, TrainshedError
from store.findings import Policy
from store.home import Home
from store.times import Clock, to_us
from store.wire import BackfillDone, BackfillRequest, BoxView, RunRequest, RunView

log = logging.getLogger(__name__)
LOOK_AGAIN_S: Final = 2.0
"""Seconds between two looks whether the last run has ended, while it drains."""
SILENT_S: Final = 30.0
"""The schedules are looked at every second; after so long without, they are not kept."""


class Daemon:
    """One project's work on this box. Its methods may be called from any thread."""

    def __init__(self, home: Home, project: Project, clock: Clock) -> None:
        """Opens the record (see `Record.open` for what it raises); only the holder of the home's lock may do so."""
        self.home = home
        self.clock = clock
        self.record = Record.open(home, clock)
        self._project = project
        self._jobs = jobs_of(project)
        self._reading = threading.Lock()
        self._draining = False
        self._stopping = False
        self._gpus = Gpus()
        settings = project.daemon
        self._warm = WarmWorkers(settings.warm_idle, home.daemon_log)
        self._reports = Reports(lambda: self._project, lambda: self._jobs)
        self._supervisor = Supervisor(self.record, self._ended, self._reports.take)
        self._sampler = Sampler(
            record=self.record,
            clock=clock,
            every=settings.sample_every,
            pids=self._supervisor.pids,
            gpus=self._gpus,
        )
        self._dispatcher = Dispatcher(
            record=self.record,
            clock=clock,
            project=lambda: self._project,
            supervisor=self._supervisor,
            warm=self._warm,
            gpus=self._gpus.indexes,
            degraded=self._holds_back,
            on_start=self._sampler.wake,
            report=self._reports.take,
        )
        self.predictions = PredictionReader(
            self.record, lambda: self._project.serving.log, lambda model: self.experiments.labels_came(model)
        )
        self.replays = Replays(home, behind=self.predictions.behind, fresh=self.predictions.fresh)
        self.labels = LabelBox(home.serving, project.serving.log.disk)
        self.endpoints = Endpoints(self.record, lambda: self._project, self.predictions.wake)
        self.canaries = Canaries(self.record, self.endpoints, clock)
        self.experiments = Experiments(self.record, self.endpoints, self.predictions.fresh, clock)
        self._press_ahead = PressAhead(self.record, self.endpoints, lambda: self._project, clock)
        self.serving_room = ServingRoom(self.endpoints, self.canaries, self.record, time.monotonic)
        self.counts = ServingSampler(self.record, clock, self.serving_room.facts, ShadowWatch(self.record).look)
        self.machine = MachineRoom(
            self.record, clock, project.root, self._supervisor.pids, self._warm.pids, self.endpoints.process.pids
        )
        self._scheduler = Scheduler(self.record, lambda tx: claim_due(tx, self._jobs), clock, self._claimed)
        self._retrained = Retrained(self.record, lambda: self._project, self._put_into_traffic)
        self.retention = Retention(self.record, lambda: self._project, clock)
        self.notifier = Notifier(self.record, lambda: self._project, clock)
        self.heartbeat = Heartbeat(self.record, lambda: self._project, clock, self._unwell)
        self._idle = threading.Condition()

    # ------------------------------------------------------------------------------------------------- its life

    def start(self) -> None:
        """Adopts or settles what an earlier daemon left, then begins to work."""
        with self.record.read() as session:
            died = alive.died(session)
        self._supervisor.start()
        recover(self.record, self._supervisor, self._reports.take)
        with self.record.transaction() as tx:
            definitions.sync(tx, self._project, self._jobs)
        self._sampler.start()
        self._dispatcher.start()
        self._scheduler.start()
        self.endpoints.start()
        self.counts.start()
        self.canaries.start()
        self.experiments.start()
        self._press_ahead.start()
        self.predictions.start()
        with self.record.transaction() as tx:
            what = f"the daemon of {self._project.project.name} has started (pid {os.getpid()})"
            events.append(tx, actor="daemon", kind="daemon.started", subject="daemon", message=what)
            if died is not None:
                found = [of_death(died, again=bool(alerts.keys_there(tx.session, LIFE)))]
                alerts.observe(tx, LIFE, found, to_us(self.clock()), covered={}, policy=self.alert_policy)
        self._retrained.start()
        self.retention.start()
        self.notifier.start()
        self.heartbeat.start()

    def stop(self, drain: bool) -> None:
        """Stops working; runs and endpoints go on. With `drain` it waits for the end of the runs first."""
        if drain:
            self.drain()
        self._stopping = True
        self.record.release_waiters()
        self._ended()
        self.heartbeat.stop()
        self.notifier.stop()
        self._retrained.stop()
        self.retention.stop()
        self._press_ahead.stop()
        self.counts.stop()
        self.canaries.stop()
        self.experiments.stop()
        self.endpoints.stop()
        self.predictions.stop()
        self.labels.close()
        self._scheduler.stop()
        self._dispatcher.stop()
        self._supervisor.stop()
        self._sampler.stop()
        self._warm.close()
        with self.record.transaction() as tx:
            events.append(
                tx, actor="daemon", kind="daemon.stopped", subject="daemon", message="the daemon was told to stop"
            )
        self.record.close()

    def drain(self) -> None:
        """Takes nothing new and starts nothing; returns when the last run has ended, or when `stop` is called."""
        self._draining = True
        self._scheduler.stop()  # what falls due is not lost: the next daemon catches up
        with self._idle:
            while not self._stopping and self._may_be_active():
                self._idle.wait(LOOK_AGAIN_S)  # not every end is told: a start that failed had no process

    def _may_be_active(self) -> bool:
        try:
            with self.record.read() as session:
                return bool(queue.active_runs(session))
        except TrainshedError as error:
            log.warning("whether runs go on cannot be seen: %s", error, extra={"action": "daemon_draining"})
            return True

    def _claimed(self) -> None:
        """After schedules have queued runs, or asked for the end of those that are overlapped."""
        with self.record.read() as session:
            overlapped = [run.id for run in queue.active_runs(session) if run.cancel_requested is not None]
        for run in overlapped:
            self._supervisor.cancel(run or 0, again=False)
        self._dispatcher.wake()

    def _ended(self) -> None:
        """After the end of an attempt."""
        self._dispatcher.wake()
        with self._idle:
            self._idle.notify_all()

    # ---------------------------------------------------------------------------------------------- what it knows

    @property
    def project(self) -> Project:
        return self._project

    @property
    def jobs(self) -> Mapping[str, Job]:
        return self._jobs

    @property
    def degraded(self) -> str | None:
        """Why no new run is started, or None."""
        if self._dispatcher.stumbled is not None:
            return f"runs cannot be started, by a fault in the program ({self._dispatcher.stumbled}): see daemon.log"
        return self._holds_back()

    def _holds_back(self) -> str | None:
        """Why no new run is to be started, or None."""
        if self._draining:
            return "the daemon is draining: it stops when the last run has ended"
        if not self.record.has_ballast and not self.record.restore_ballast():
            return too_full(self.home.root, free_bytes(self.home.root), ROOM_BYTES)
        return shortage(free_bytes(self.home.root), self._project.daemon.min_free)

    def _put_into_traffic(self, model: str, change: Callable[[Transaction], object]) -> None:
        """A change of traffic that nobody asked for by hand."""
        self.endpoints.change(model, change)
        self.canaries.wake()

    def _unwell(self) -> str | None:
        """Why schedules are not kept, or None."""
        silent = self._scheduler.silent_for()
        if silent > SILENT_S and not self._draining:
            return f"the schedules have not been looked at for {silent:.0f} s"
        return None

    def box(self) -> BoxView:
        """The machine now, measured at most a second ago."""
        return self._sampler.box()

    @property
    def doors(self) -> Doors:
        return self.endpoints.doors

    @property
    def alert_policy(self) -> Policy:
        """How the project in force wants to be told: what `store.alerts.observe` is given."""
        return self._project.alerts.policy

    @property
    def draining(self) -> bool:
        """It takes nothing new, and stops once the last run has ended."""
        return self._draining

    @property
    def pools(self) -> Mapping[str, int]:
        """Pool → slots."""
        return pools_of(self._project)

    def reload(self, actor: str) -> None:
        """Reads the project file again. Raises ProjectError and keeps the old project when it is broken."""
        with self._reading:  # two at once: what was read last stays in force
            self._read_again(actor)
        self.schedules_changed()
        self._dispatcher.wake()
        self.endpoints.wake()
        self.notifier.wake()

    def _read_again(self, actor: str) -> None:
        try:
            project = load_project(self._project.root)
        except ProjectError as error:
            with self.record.transaction() as tx:
                what = f"the changed project file is not used, the old one stays in force: {error}"
                events.append(tx, actor=actor, kind="project.broken", subject="daemon", message=what)
            raise
        self._project, self._jobs = project, jobs_of(project)
        with self.record.transaction() as tx:
            definitions.sync(tx, project, self._jobs)
            what = "the project file was read again"
            events.append(tx, actor=actor, kind="project.reloaded", subject="daemon", message=what)

    def schedules_changed(self) -> None:
        """To be called after the commit of a change to a schedule: it may be due sooner now."""
        self._scheduler.wake()

    # ------------------------------------------------------------------------------------------- what it is asked

    def submit(self, request: RunRequest, actor: str) -> RunView:
        """Queues a job, with `upstream` everything it builds upon too; the run of the job itself.

        Raises NotFound, ProjectError (settings it does not take), Refused (while draining), StorageError.
        """
        self._refuse_when_draining(request.job)
        order = orders.Order(
            job=request.job,
            trigger="manual",
            actor=actor,
            params=request.params,
            upstream=request.upstream,
            force=request.force,
            priority=request.priority,
        )
        wanted = orders.new_runs(self._jobs, order)
        orders.check_params(self._project, self._jobs[request.job], request.params)
        with self.record.transaction() as tx:
            run = queue.submit(tx, wanted)[-1]
            tx.finish()
            view = runs.view(tx.session, run, tx.now)
        self._dispatcher.wake()
        return view

    def backfill(self, schedule: str, request: BackfillRequest, actor: str) -> BackfillDone:
        """Queues a run for each of a schedule's times in a span that has none. Raises NotFound, Refused, Conflict."""
        self._refuse_when_draining(f"schedule {schedule}")
        with self.record.transaction() as tx:
            done = backfill(tx, self._jobs, schedule, request, actor)
        self._dispatcher.wake()
        return done

    def _refuse_when_draining(self, where: str) -> None:
        if self._draining:
            raise Refused(
                "the daemon is draining and takes nothing new", where=where, remedy="`trainshed up`, then again"
            )

    def cancel(self, run: int, actor: str) -> RunView:
        """Ends a run: SIGTERM, grace, SIGKILL of everything it started; asked a second time, without the grace.

        Raises NotFound, Conflict when it has ended.
        """
        with self.record.transaction() as tx:
            row = lifecycle.request_cancel(tx, run, actor)
            view = runs.run_view(row, tx.now)
        self._supervisor.cancel(run)
        self._dispatcher.wake()
        return view

    def retry(self, run: int, actor: str) -> RunView:
        """Queues an ended run again as a further attempt. Raises NotFound, Conflict."""
        allowed = {job.name: job.settings.retries + 1 for job in self._jobs.values()}
        with self.record.transaction() as tx:
            row = lifecycle.requeue(tx, run, actor, allowed)
            view = runs.run_view(row, tx.now)
        self._dispatcher.wake()
        return view
