"""Endpoints: the serving processes follow the record. One thread, asleep unless something is to be done.

A version goes live in this order: it is pressed and loaded everywhere, the alias moves in the record, the snapshot is
published, every worker puts it in force. Until the alias moves, whatever goes wrong leaves all as it was; after that
the serving processes follow, whoever dies in between: what is served is a function of the record.
"""

from __future__ import annotations

import logging
import os
import select
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Final, TypeVar

from daemon.doors import Doors
from daemon.phases import Phases
from daemon.rehearsal import Change, Rehearsal
from daemon.routes import settings_of
from daemon.servingprocess import ServingProcess
from daemon.switchboard import Switchboard
from daemon.wish import Wish
from pipeline.config import Project
from pipeline.serving.cores import available, require_cores
from pipeline.serving.settings import ServingSettings
from store import events
from store.engine import Record
from store.errors import NotServed, ProjectError, ServingError, StorageError, TrainshedError
from store.routing import Arm, Route
from store.wire import AliasEventView, PlanView, ServedView
from store.words import PRODUCTION

FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 60.0
STOPS_S: Final = 5.0
"""That the supervisor may take to end, beside what it may take to answer what it has."""
STOP_S: Final = 2.0
"""The end of the daemon does not wait for a version that is being compiled: the next daemon follows the record."""
log = logging.getLogger(__name__)
T = TypeVar("T")
Move = Change[AliasEventView]


class Endpoints:
    """Its methods may be called from any thread."""

    def __init__(self, record: Record, project: Callable[[], Project], on_end: Callable[[], None]) -> None:
        """`on_end` is called when serving processes have ended: what they logged is whole now."""
        self._record = record
        self._on_end = on_end
        self._project = project
        self.process = ServingProcess(record.home)
        self.doors = Doors(record, project, self.process)
        self.wish = Wish(record.home.serving, project)
        self.rehearsal = Rehearsal(record, project)
        self._turn = threading.RLock()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._stopping = False
        self._failures = 0
        self._hangs: int | None = None
        """The supervisor that was told to stop, and is there all the same."""
        self.problem: str | None = None
        """Why what is served is not what should be, or None."""
        self.phases = Phases(time.monotonic)
        self.switchboard = Switchboard(record, project, self.process, self.phases)
        self._thread = threading.Thread(target=self._run, name="endpoints", daemon=True)

    # ------------------------------------------------------------------------------------------------ its life

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Lets go of the serving processes; they go on without us."""
        self._stopping = True
        self.wake()
        self._thread.join(STOP_S)

    def wake(self) -> None:
        """Something may be to do: the project file or an alias has changed."""
        os.eventfd_write(self._wake, 1)

    def _run(self) -> None:
        while not self._stopping:
            try:
                pause = self._look()
            except Exception:  # a fault of ours here must not end the thread that keeps endpoints alive
                log.exception("the endpoints stumbled")
                pause = LONGEST_PAUSE_S
            self._wait(pause)

    def _wait(self, pause: float | None) -> None:
        """Until woken, the supervisor's death, or the end of the pause."""
        poll = select.poll()
        poll.register(self._wake, select.POLLIN)
        if self.process.descriptor is not None:
            poll.register(self.process.descriptor, select.POLLIN)
        if self._wake in {descriptor for descriptor, _ in poll.poll(None if pause is None else pause * 1000)}:
            os.eventfd_read(self._wake)

    def switch_on(self, on: bool | None, actor: str) -> None:
        """Serve, or not, whatever the project file says; None: what the project file says."""
        self._tell("endpoints.asked", self.wish.say(on, actor), actor)
        self._failures = 0
        self.wake()

    # ------------------------------------------------------------------------------------------------- following

    def _look(self) -> float | None:
        """Brings what is there in line with what is wanted; seconds until it should look again, None: when woken."""
        with self._turn:
            had, there = self.process.pid, self.process.find()
            if had is not None and not there:
                self._gone(had)
            try:
                self.doors.publish()
            except StorageError as error:
                self._trouble(f"who may ask is not in force at the endpoints: {error.where}: {error.what}")
                return LONGEST_PAUSE_S
            if not self.wish.wanted:
                self._end(there)
                return None
            settings = self._settings()
            try:
                if there and not self._renewed(settings):
                    if not self._end(there):
                        return None
                    there = False
            except ProjectError as error:
                self._trouble(f"the old settings stay in force: {error.where}: {error.what} → {error.remedy}")
                return LONGEST_PAUSE_S
            if not there and not self._begin():
                self._failures += 1
                return min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** (self._failures - 1))
            self._failures = 0
            return self._follow()

    def _begin(self) -> bool:
        """Starts it on what the record says; False, with the problem kept, when it cannot be."""
        try:
            self.switchboard.publish(self.switchboard.wanted())
            self._require_sound()
            self.process.start(self._settings())
        except ProjectError as error:
            self._trouble(f"endpoints cannot be started: {error.where}: {error.what} → {error.remedy}")
            return False
        except TrainshedError as error:
            self._trouble(f"endpoints cannot be started: {error.what}")
            return False
        self.problem = None
        self._tell("endpoints.started", f"endpoints have been started (pid {self.process.pid})")
        return True

    def _renewed(self, settings: ServingSettings) -> bool:
        """Whether what runs has these settings, or takes them up: new workers take the place of the old ones, one after
        another, and nobody is cut off. False: only a new start can. Raises ProjectError when they must not be used.
        """
        known = self.process.settings()
        if known == settings:
            return True
        if known is None or not known.same_doors(settings):
            return False
        self._require_sound()
        try:
            self.process.renew(settings)
        except ServingError as error:  # of another release, or dead
            log.warning("the serving supervisor does not take up new settings: %s", error.what)
            return False
        self._tell("endpoints.renewed", "new settings are in force: workers are replaced one after another")
        return True

    def _require_sound(self) -> None:
        """Raises ProjectError for settings that must not be used, or cannot be here."""
        self.doors.require_guarded()
        require_cores(self._project().serving.cores, available())

    def _settings(self) -> ServingSettings:
        return settings_of(self._project())

    def _end(self, there: bool) -> bool:
        """Whether they have ended: what hangs is told so once, and its end wakes us."""
        pid = self.process.pid
        if there and pid == self._hangs:
            return False
        seconds = self._project().serving.drain.total_seconds() + STOPS_S
        if there and not self.process.stop(seconds):
            self._hangs = pid
            self._trouble(
                f"the serving supervisor (pid {pid}) was told to stop and has not ended within {seconds:g} s: until it "
                f"does, endpoints may go on answering; if something has halted it, `kill -CONT {pid}` lets it go on"
            )
            return False
        if there:
            self._ended()
        self.problem = None
        return True

    def _gone(self, pid: int) -> None:
        """A supervisor that was there is not there any more."""
        if pid == self._hangs:
            self.problem = None
            self._ended()
            return
        log.warning("the serving supervisor (pid %d) has died", pid, extra={"action": "serving_lost"})
        self._tell("endpoints.lost", f"the serving supervisor (pid {pid}) has died; its workers go on answering")

    def _ended(self) -> None:
        self._hangs = None
        self._tell("endpoints.stopped", "endpoints have been stopped")
        self._on_end()

    def _follow(self) -> float | None:
        """Aliases that moved while nobody told the serving processes."""
        followed = self.switchboard.follow()
        for what in followed.troubles:
            self._trouble(what)
        if followed.again_s is None:
            self.problem = None
        return followed.again_s

    # ------------------------------------------------------------------------------------------------- promotions

    def move(self, model: str, alias: str, move: Move) -> AliasEventView:
        """Moves an alias, and, if it is what answers requests, every worker with it.

        The candidate is loaded, warm and golden-checked everywhere before the alias moves. Raises what `move` raises;
        NotServable with the reason, NotServed while there is no serving process: then nothing has changed.
        """
        with self._turn:
            if alias != PRODUCTION or not self.wish.serves(model):
                return self._commit(move)
            self._require(model)
            moved, served = self._in_service(model, move, lambda route: route.arms)
            if served is None:
                return moved
            what = f"{model} {moved.to_version} answers in {served.workers} processes, epoch {served.epoch}"
            self._tell("endpoint.switched", what, actor=moved.actor, subject=f"{model} {moved.to_version}")
            return moved.model_copy(update={"served": served})

    def change(self, model: str, change: Change[T]) -> T:
        """Changes who takes which share of a model's traffic, or who is its shadow.

        As in `move`, what is new is loaded everywhere before the record changes; what needs nothing new, as the end of
        a comparison does, waits for no serving process. Raises what `change` raises, NotServable, NotServed.
        """
        with self._turn:
            _, before, after = self.rehearsed(model, change)
            there = {arm.version for arm in before.working}
            fresh = [arm for arm in after.working if arm.version not in there]
            if fresh and not self.wish.serves(model):
                raise NotServed(
                    f"{model} is not served, so it has no traffic to part",
                    where=model,
                    remedy="`trainshed endpoints start` serves what is in production",
                )
            if fresh:
                self._require(model)
            if not self.process.find():
                return self._commit(change)
            return self._in_service(model, change, lambda _: fresh)[0]

    def rehearsed(self, model: str, change: Change[T]) -> tuple[T, Route, Route]:
        """What a change would give, and the model's route before and after it. Raises what `change` raises."""
        with self._turn:
            with self._record.read() as session:
                before = self.rehearsal.route(session, model)
            given, after = self.rehearsal.of(model, change)
            return given, before, after

    def with_effects(self, plan: PlanView) -> PlanView:
        """The plan, with what it would do to what is served."""
        if plan.alias != PRODUCTION or not plan.effects or not self.wish.serves(plan.model):
            return plan
        to, before = plan.to_version, plan.from_version
        said = f"its endpoint answers with version {to} once every process has loaded it and met its golden rows"
        warm = "" if before is None else f"; version {before} stays warm"
        return plan.model_copy(update={"effects": [*plan.effects, said + warm], "served": True})

    def _require(self, model: str) -> None:
        """Raises NotServed while there is no serving process."""
        if not self.process.find():
            why = self.problem or "it is starting"
            raise NotServed(
                f"{model} is to be served, and the serving process is not there: {why}",
                where=model,
                remedy="try again in a moment; `trainshed endpoints` says more, and `… stop` does without",
            )

    def _in_service(
        self, model: str, change: Change[T], needed: Callable[[Route], Sequence[Arm]]
    ) -> tuple[T, ServedView | None]:
        """Loads what is `needed` of the route that a change makes, changes the record, and has every worker switch.

        No view: the record has changed, and the workers follow later.
        """
        arms = needed(self.rehearsal.of(model, change)[1])
        with self.phases.of(model, arms[0].version) if arms else nullcontext():
            return self._load_and_switch(model, change, arms)

    def _load_and_switch(self, model: str, change: Change[T], arms: Sequence[Arm]) -> tuple[T, ServedView | None]:
        who = f"{model} {arms[0].version}" if arms else model
        try:
            prepared = [self.switchboard.prepare(model, arm.version, arm.digest) for arm in arms]
            self.phases.enter("switch")
            done = self._commit(change)
        except TrainshedError as error:
            if not isinstance(error, ServingError):  # somebody else moved it meanwhile
                self.process.ask("forget")
            else:
                what = f"{who} was not put in service, what answers stays as it is: {error.what}"
                self._tell("endpoint.refused", what, subject=who)
            raise
        try:
            switched = self.switchboard.switch(self.switchboard.wanted())
        except TrainshedError as error:
            self._trouble(f"the record of {who} has changed, and that is not in force everywhere yet: {error.what}")
            self.wake()
            return done, None
        return done, ServedView(
            epoch=switched["epoch"],
            workers=switched["workers"],
            compiled=sum(one["compiled"] for one in prepared),
            pressed_s=sum(one["pressed_s"] for one in prepared),
            loaded_s=sum(one["loaded_s"] for one in prepared),
            switched_s=switched["switched_s"],
        )

    def _commit(self, change: Change[T]) -> T:
        with self._record.transaction() as tx:
            done = change(tx)
        self.wake()
        return done

    # ---------------------------------------------------------------------------------------------------- history

    def _trouble(self, what: str) -> None:
        """Told once, however often it is tried."""
        if what != self.problem:
            self.problem = what
            log.warning("%s", what, extra={"action": "serving_trouble"})
            self._tell("endpoints.trouble", what)

    def _tell(self, kind: str, message: str, actor: str = "daemon", subject: str = "endpoints") -> None:
        with self._record.transaction() as tx:
            events.append(tx, actor=actor, kind=kind, subject=subject, message=message)
