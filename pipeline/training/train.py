"""The one training loop.

    compile once → ┌─ dispatch a chunk of batches
                   │  read the metrics of the chunk before
                   │  gather the next chunk (while the device works)
                   │  at an evaluation: look at the validation rows, decide whether this is the best, or the end
                   └─ now and then: save a checkpoint

What makes it exact: the rows of a step depend on (seed, epoch, step) only; all randomness lies in the state; decisions
fall at step numbers, never at times. So a run that was killed and resumed equals the uninterrupted one bit for bit.
What makes it fast: nothing inside the loop waits for the device, except to read a chunk when the next is on its way.
A thread of its own calls the device, because on a GPU such a call returns only when its last steps begin.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

import jax
import numpy as np

from pipeline.config.models import Training
from pipeline.models.flat import FlatModel, Leaves
from pipeline.process.context import Preempted
from pipeline.training.batches import BatchPlan, Chunk, Placement, Rows, make_feed
from pipeline.training.diverged import explain
from pipeline.training.looks import Looks, Objective
from pipeline.training.optimizer import make_optimizer, make_schedule, planned_epochs
from pipeline.training.pace import Ledger, Pace, even_block
from pipeline.training.saved import Resume, pack, unpack
from pipeline.training.steps import Trace, TrainState, all_finite, chunk_function, initial_state, snapshot
from pipeline.training.stopping import Evaluation, Progress, judge
from store.errors import Diverged

MAX_CAPACITY = 512
"""Steps of one compiled chunk, at most."""
MAX_CHUNK_BYTES = 32_000_000
"""Rows that one chunk brings to the device, at most."""
Sent = tuple[int, Future[jax.Array]]
"""A chunk: its first step, and what its steps will have told."""


class Watcher(Protocol):
    """Is told what happened, after the fact."""

    def compiled(self, seconds: float) -> None: ...

    def chunk(self, first: int, trace: Trace, seconds: float) -> None:
        """`seconds`: from the end of the chunk before to the end of this one."""
        ...

    def evaluated(self, found: Evaluation, is_best: bool, seconds: float) -> None: ...


class Saver(Protocol):
    """Where checkpoints go."""

    def save(self, step: int, arrays: dict[str, Any], facts: dict[str, Any]) -> None:
        """Takes arrays that nobody changes any more and returns at once; they are on disk later."""
        ...

    def idle(self) -> bool:
        """Whether nothing is under way. Raises what the save before met."""
        ...

    def wait(self) -> None:
        """Until all is on disk. Raises what a save met."""
        ...


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """What is to be learned, from which rows, and how."""

    model: FlatModel
    leaves: Leaves
    """To begin with."""
    train: Rows
    validate: Rows
    training: Training
    objective: Objective
    placement: Placement = "host"
    block: int = 1
    """Steps that the device takes between two looks at whether there are more, at most; see `chunk_function`."""
    name_rows: Callable[[np.ndarray], Sequence[str]] | None = None
    """Row numbers of the train part → what a person knows them by."""


@dataclass(frozen=True, kw_only=True)
class Fitted:
    leaves: Leaves
    """Of the model at its best step."""
    state: TrainState
    """At the last step."""
    progress: Progress
    figures: dict[str, float]
    """Seconds by cause, `total` and `goodput`."""


def fit(
    lesson: Lesson,
    *,
    watcher: Watcher,
    clock: Callable[[], float],
    stop: threading.Event,
    saver: Saver | None = None,
    resume: Resume | None = None,
) -> Fitted:
    """Trains until the last epoch or until patience is used up; returns the best state by the objective.

    `clock`: monotonic seconds, for pace and checkpoints, without influence on the result.
    Raises Diverged; Preempted when `stop` was set, with everything saved; and what the saver met.
    """
    with ThreadPoolExecutor(1, "device") as device, jax.transfer_guard("disallow"):
        loop = _Loop(lesson, watcher, clock, stop, saver, device)
        loop.begin(resume)
        loop.run()
        return loop.end()


class _Loop:
    """The loop and its moving parts."""

    def __init__(
        self,
        lesson: Lesson,
        watcher: Watcher,
        clock: Callable[[], float],
        stop: threading.Event,
        saver: Saver | None,
        device: ThreadPoolExecutor,
    ) -> None:
        """`device`: one thread, which calls the device."""
        training = lesson.training
        self.lesson, self.training = lesson, training
        self.watcher, self.clock, self.stop, self.saver = watcher, clock, stop, saver
        self.device = device
        self.plan = BatchPlan(lesson.train.size, training.batch, training.seed)
        self.total = planned_epochs(training, self.plan.steps_per_epoch) * self.plan.steps_per_epoch
        self.every = max(1, round(self.plan.steps_per_epoch / training.evaluations_per_epoch))
        self.capacity = min(training.chunk or _capacity(lesson, self.plan), self.every)
        self.block = even_block(min(self.every, self.capacity), lesson.block)
        self.pace = Pace(capacity=self.capacity, fixed=training.chunk is not None, block=self.block)
        self.ledger = Ledger(clock)
        self.feed = make_feed(lesson.placement, lesson.train, self.plan, self.capacity)
        self.looks = Looks(lesson.model, lesson.train, lesson.validate, training.seed)
        self.pending: Sent | None = None
        """The chunk under way. Meanwhile the state is the device thread's."""
        self.saved_at, self.saved_step = clock(), -1

    def begin(self, resume: Resume | None) -> None:
        """Puts the state in place, and compiles."""
        schedule = make_schedule(self.training, self.total)
        optimizer = make_optimizer(self.training, schedule)
        self.state = initial_state(self.lesson.leaves, self.lesson.model, optimizer)
        self.best = snapshot(self.lesson.leaves)
        self.progress = Progress()
        if resume is not None:
            self.state, self.best = unpack(resume.arrays)
            self.progress = resume.progress
            self.saved_step = resume.progress.step
        self.step = self.progress.step
        with self.ledger.spent("compile"):
            limits = {"capacity": self.capacity, "nan_patience": self.training.nan_patience, "block": self.block}
            function = chunk_function(self.lesson.model, optimizer, schedule, **limits)
            self.run_chunk = function.lower(self.state, self.feed.load(self.step, 0), self.feed.resident).compile()
            self.looks.compile(self.state.model)
        self.watcher.compiled(self.ledger.seconds["compile"])

    # ---- the loop --------------------------------------------------------------------------------------------------

    def run(self) -> None:
        self.pace.restart(self.clock())
        self.gather()
        while self.step < self.total and not self.progress.finished:
            self.dispatch()
            self.gather()
            if self.step % self.every == 0 or self.step == self.total:
                self.settle()
                self.evaluate()
                if self.step == self.total:  # said before a checkpoint that may be due here: a step is saved once
                    self.progress = self.progress.model_copy(update={"finished": True})
            if self.stop.is_set():
                self.settle()
                self.save(wait=True)
                raise Preempted(f"stopped after step {self.step} of {self.total}, and saved")
            if self.checkpoint_is_due():
                self.settle()
                self.save(wait=False)

    def gather(self) -> None:
        """Makes the next chunk ready, which goes no further than to the next evaluation."""
        boundary = min(self.total, (self.step // self.every + 1) * self.every)
        self.steps = min(self.pace.steps, boundary - self.step)
        self.gathered = self.feed.load(self.step, self.steps)

    def dispatch(self) -> None:
        """Sends the chunk that is ready off, then reads the one before."""
        before = self.pending
        self.pending = (self.step, self.device.submit(self.work, self.gathered))
        self.step += self.steps
        self.read(before)

    def work(self, chunk: Chunk) -> jax.Array:
        """In the device's thread: what the chunk's steps have to tell, while they may still be under way."""
        packed: jax.Array
        self.state, packed = self.run_chunk(self.state, chunk, self.feed.resident)
        packed.copy_to_host_async()
        return packed

    def settle(self) -> None:
        """Reads the chunk under way, if there is one. The state is the loop's again."""
        last, self.pending = self.pending, None
        self.read(last)

    def read(self, sent: Sent | None) -> None:
        """Waits for a chunk."""
        if sent is None:
            return
        first, packed = sent
        trace = Trace.read(jax.device_get(packed.result()))
        seconds = self.pace.lap(self.clock(), trace.done)
        self.ledger.seconds["train"] += seconds
        self.progress = self.progress.at(first + trace.done, int(np.sum(~trace.finite)))
        self.watcher.chunk(first, trace, seconds)
        if trace.streak >= self.training.nan_patience:
            raise self.diverged(first + trace.done, trace.streak)

    def evaluate(self) -> None:
        """Looks at the validation rows, and keeps the state if it is the best so far."""
        start = self.clock()
        found = self.looks.look(self.state.model, self.step, self.lesson.objective)
        higher = self.lesson.objective.higher_is_better
        self.progress = judge(self.progress, found, higher_is_better=higher, patience=self.training.patience)
        is_best = self.progress.best is found
        if is_best:
            self.best = snapshot(self.state.model)
        self.pause("evaluate", start)
        self.watcher.evaluated(found, is_best, self.clock() - start)

    # ---- checkpoints and ends --------------------------------------------------------------------------------------

    def checkpoint_is_due(self) -> bool:
        """Raises what the last save met in the background."""
        if self.saver is None or self.clock() - self.saved_at < self.training.checkpoint_every.total_seconds():
            return False
        return self.saver.idle()

    def save(self, *, wait: bool) -> None:
        """Hands a copy of everything to the saver. A state with a non-finite number is never saved."""
        if self.saver is None:
            return
        if self.step == self.saved_step:
            if wait:
                self.saver.wait()
            return
        start = self.clock()
        if not bool(jax.device_get(all_finite((self.state.model, self.state.optimizer)))):
            raise self.diverged(self.step, 1)
        if wait:
            self.saver.wait()
        self.saver.save(self.step, pack(snapshot((self.state, self.best))), self.progress.model_dump(mode="json"))
        if wait:
            self.saver.wait()
        self.saved_at, self.saved_step = self.clock(), self.step
        self.pause("save", start)

    def end(self) -> Fitted:
        """Saves the end too, so that what comes after the training cannot lose it."""
        self.settle()
        if not self.progress.finished:
            self.progress = self.progress.model_copy(update={"finished": True})
        self.save(wait=True)
        return Fitted(
            leaves=self.best if self.progress.best else self.state.model,
            state=self.state,
            progress=self.progress,
            figures=self.ledger.figures(),
        )

    def pause(self, cause: str, start: float) -> None:
        """Time that belongs to no chunk."""
        now = self.clock()
        self.ledger.seconds[cause] += now - start
        self.pace.restart(now)

    def diverged(self, step: int, streak: int) -> Diverged:
        if self.pending is not None:
            self.pending[1].result()  # the chunk after it, whose steps change nothing
        ids = self.plan.ids(step - 1)[: self.plan.live(step - 1)]
        return explain(
            self.lesson.model, self.state.model, self.lesson.train.take(ids), ids, step, streak, self.lesson.name_rows
        )


def _capacity(lesson: Lesson, plan: BatchPlan) -> int:
    """Steps that one chunk can hold."""
    row_bytes = lesson.train.nbytes / lesson.train.size if lesson.placement == "host" else np.int32().nbytes
    return max(1, min(MAX_CAPACITY, int(MAX_CHUNK_BYTES / (row_bytes * plan.batch))))
