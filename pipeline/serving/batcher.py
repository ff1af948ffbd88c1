"""Requests that arrive in one turn of the event loop are answered in one run: no waiting, and a fraction of the cost.

The first request of a turn asks for a flush at the turn's end; whatever came meanwhile is in it. A batch that takes
long is run by the computing thread, so that the loop goes on reading, refusing and answering whether it lives; those
who come meanwhile are the next batch. What waits is bounded in rows, what waited too long is not run, and a request
that fails takes none of its neighbours with it.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Final

import numpy as np

from pipeline.serving.columns import all_finite
from pipeline.serving.loaded import LoadedVersion, Scores
from pipeline.serving.pending import Outcome, Pending
from pipeline.serving.refusal import TOO_LATE, Refusal, busy
from pipeline.serving.standing import Standing
from pipeline.versions.signature import Categorical, Numeric

INLINE_S: Final = 0.002
"""A run up to this long is done in the loop: to hand it over costs a tenth of a millisecond. So are several in a turn,
until they have taken so long."""

Run = Callable[[Numeric, Categorical], Scores]


@dataclass(slots=True)
class Member:
    """A request in a batch."""

    numeric: Numeric
    categorical: Categorical
    deadline: float
    """Of the batcher's clock."""
    arrived: float
    answer: Pending
    rows: int


@dataclass(frozen=True, slots=True)
class Batch:
    """What a run was, for those who count."""

    requests: int
    rows: int
    waited_s: float
    """The longest of its members."""
    took_s: float


class Batcher:
    """Of one version; belongs to the thread of its event loop."""

    def __init__(
        self,
        run: Run,
        *,
        expected_s: Callable[[int], float],
        largest: int,
        queue_rows: int,
        thread: Executor,
        on_batch: Callable[[Batch], None],
        longest_wait_s: float = math.inf,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`expected_s`: rows → seconds of a run; `largest`: rows of one batch, more only for one request that has more.
        `clock`: in seconds, monotonic; uvloop's own counts milliseconds.

        `queue_rows`: more rows than these do not wait, nor more than are run within `longest_wait_s`; while there are
        too many, within a tenth of it (`standing.py`).
        """
        self._run = run
        self._expected_s = expected_s
        self._largest = largest
        self._queue_rows = queue_rows
        self._standing = Standing(longest_wait_s)
        self._turn = largest * (1 + int(INLINE_S / expected_s(largest)))
        """Rows that one turn runs."""
        self._pace = 1.0
        """How many times longer than its runs it takes from one turn to the next, while some wait: the loop has other
        things to do, and other processes want the processor too."""
        self._before: tuple[float, float] | None = None
        """When the turn before began and what its runs should take, if some have waited ever since."""
        self._thread = thread
        self._on_batch = on_batch
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Member] = deque()
        self._rows = 0
        self._flush_asked = False
        self._running = False

    @classmethod
    def of(
        cls,
        loaded: LoadedVersion,
        *,
        queue_rows: int,
        longest_wait_s: float,
        thread: Executor,
        on_batch: Callable[[Batch], None],
    ) -> Batcher:
        """Of a version that is loaded."""
        return cls(
            loaded.run,
            expected_s=loaded.expected_seconds,
            largest=loaded.largest,
            queue_rows=queue_rows,
            longest_wait_s=longest_wait_s,
            thread=thread,
            on_batch=on_batch,
        )

    @property
    def waiting_rows(self) -> int:
        return self._rows

    def turns_away(self) -> bool:
        """Whether a batch more would not find room; then who comes now is to be refused."""
        if self._rows < self._soon() or self._rows + self._largest <= self._room():
            return False
        self._standing.refused(self._clock())
        return True

    def scores(self, numeric: Numeric, categorical: Categorical, timeout_s: float) -> Pending:
        """The scores of these rows, once they are there. Raises Refusal: 503, at once, when too much waits already; and
        504 where it is awaited, when its time is over.
        """
        rows = len(numeric)
        if self._rows and self._rows + rows > self._room():
            self.turns_away()
            raise busy(f"{self._rows} rows are waiting already")
        now = self._clock()
        member = Member(numeric, categorical, now + timeout_s, now, Pending(loop=self._loop), rows)
        self._waiting.append(member)
        self._rows += rows
        self._ask_for_flush()
        return member.answer

    def _soon(self) -> int:
        """Rows that may always wait: what the next turn runs, or a full batch behind the one that is run, and one more
        while there are not too many."""
        if self._running and self._standing.too_many(self._clock()):
            return self._turn
        return max(self._turn, 2 * self._largest)

    def _room(self) -> int:
        if self._rows < self._soon():
            return self._queue_rows
        batch_s = self._pace * self._expected_s(self._largest)
        return int(min(self._queue_rows, self._standing.bound_s(self._clock()) / batch_s * self._largest))

    def _learn(self, now: float) -> None:
        if self._before is not None:
            began, expected_s = self._before
            self._pace = 0.8 * self._pace + 0.2 * max(1.0, (now - began) / expected_s)

    def _ask_for_flush(self) -> None:
        """Unless one is asked for, or the end of a run will ask for it."""
        if not self._flush_asked and not self._running:
            self._flush_asked = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        """Runs what waits, as far as this turn has time for it: by what runs take, not by what they took when somebody
        else had the processor, for those who are let in meanwhile are as many as before."""
        self._flush_asked = False
        if self._running:  # since it was asked for: who has an answer may ask again before the turn is over
            return
        began = self._clock()
        self._learn(began)
        expected_s = 0.0
        while self._has_from(began) and expected_s < INLINE_S:
            batch = self._take(began)
            if not batch:
                continue
            started = self._clock()
            run_s = self._expected_s(sum(member.rows for member in batch))
            expected_s += run_s
            if run_s > INLINE_S:
                self._hand_over(batch, started)
                break
            outcomes = self._outcomes(batch)
            self._deliver(batch, started, self._clock(), outcomes)
        self._before = (began, expected_s) if expected_s and self._has_from(began) else None
        self._go_on()

    def _has_from(self, began: float) -> bool:
        """Whether somebody waits who came before the turn began. Who has an answer and asks again is for the next one,
        together with all who do so."""
        return bool(self._waiting) and self._waiting[0].arrived <= began

    def _hand_over(self, batch: Sequence[Member], began: float) -> None:
        self._running = True
        run = self._loop.run_in_executor(self._thread, self._outcomes_in_time, batch)
        run.add_done_callback(lambda done: self._done(batch, began, done.result()))

    def _go_on(self) -> None:
        if self._waiting:
            self._ask_for_flush()

    def _done(self, batch: Sequence[Member], began: float, outcomes: Sequence[Outcome]) -> None:
        self._running = False
        self._deliver(batch, began, self._clock(), outcomes)
        self._go_on()

    def _take(self, began: float) -> list[Member]:
        """The next batch: those who still wait for their answer, in the order in which they came."""
        batch: list[Member] = []
        rows, now = 0, self._clock()
        while self._has_from(began) and (not batch or rows + self._waiting[0].rows <= self._largest):
            member = self._waiting.popleft()
            self._rows -= member.rows
            if member.answer.done():  # its client has gone
                continue
            if now > member.deadline:
                member.answer.settle(_too_late())
                continue
            batch.append(member)
            rows += member.rows
        return batch

    def _outcomes_in_time(self, batch: Sequence[Member]) -> Sequence[Outcome]:
        """In the computing thread, which may have been busy with other models: what expired meanwhile is not run."""
        now = self._clock()
        living = [member for member in batch if now <= member.deadline]
        found = iter(self._outcomes(living) if living else ())
        return [next(found) if now <= member.deadline else _too_late() for member in batch]

    def _outcomes(self, batch: Sequence[Member]) -> Sequence[Outcome]:
        """One for each member; if the whole cannot be run, each by itself."""
        try:
            if len(batch) == 1:
                return [_finite(self._run(batch[0].numeric, batch[0].categorical))]
            whole = self._run(*_together(batch))
        except Exception as error:
            if len(batch) == 1:
                return [error]
            return [outcome for member in batch for outcome in self._outcomes([member])]
        return _parted(whole, batch)

    def _deliver(self, batch: Sequence[Member], began: float, ended: float, outcomes: Sequence[Outcome]) -> None:
        rows = sum(member.rows for member in batch)
        self._on_batch(Batch(len(batch), rows, began - batch[0].arrived, ended - began))
        for member, outcome in zip(batch, outcomes, strict=True):
            if not member.answer.done():
                member.answer.settle(outcome)


def _too_late() -> Refusal:
    return Refusal(TOO_LATE, "the request's time was over before it was its turn")


def _together(batch: Sequence[Member]) -> tuple[Numeric, Categorical]:
    return (
        np.concatenate([member.numeric for member in batch]),
        np.concatenate([member.categorical for member in batch]),
    )


def _parted(whole: Scores, batch: Sequence[Member]) -> list[Outcome]:
    sound = all_finite(whole)  # then each part is
    parts: list[Outcome] = []
    place = 0
    for member in batch:
        part = whole[place : place + member.rows]
        parts.append(part if sound else _finite(part))
        place += member.rows
    return parts


def _finite(scores: Scores) -> Outcome:
    """No answer is better than one that is not a number."""
    if all_finite(scores):
        return scores
    return Refusal(500, "the model's answer is not a number")
