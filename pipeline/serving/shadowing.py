"""Shadows: a version that answers nobody is run on copies of requests, in a thread of its own and of low priority.

A copy is taken when the answer is made, and run after it is written. What waits is bounded in rows; what finds no room
is dropped at once and counted. So a shadow that is slow, or fails each time, costs those who ask nothing but a bounded
share of the processor.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Final, NamedTuple

from pipeline.serving.batcher import Batcher
from pipeline.serving.columns import Columns
from pipeline.serving.journal import Exchange, Journal
from pipeline.serving.metrics import Metrics
from pipeline.serving.outputs import Scores
from pipeline.serving.pending import Pending
from pipeline.serving.refusal import BUSY, Refusal
from pipeline.serving.shelf import Seat
from pipeline.versions.signature import Categorical, Numeric

QUEUE_ROWS: Final = 1024
"""Rows of copies that may wait for one shadow."""
Encode = Callable[[Columns], tuple[Numeric, Categorical]]
"""The request's rows as a version takes them; raises Refusal if they are none for it."""
log = logging.getLogger(__name__)


class Copy(NamedTuple):
    """A request that was answered."""

    seat: Seat
    """The shadow's."""
    exchange: Exchange
    encode: Encode


class Shadowing:
    """One worker's; belongs to the thread of its event loop."""

    def __init__(self, metrics: Metrics, journal: Journal, thread: Executor, queue_rows: int = QUEUE_ROWS) -> None:
        """`thread`: runs shadows and nothing else."""
        self._metrics = metrics
        self._journal = journal
        self._thread = thread
        self._queue_rows = queue_rows
        self._batchers: dict[str, tuple[Seat, Batcher]] = {}
        """Model → its shadow now."""

    def take(self, copy: Copy) -> None:
        """To be run once the answer is written: in a later turn of the loop."""
        asyncio.get_running_loop().call_soon(self._begin, copy)

    def forget(self, model: str) -> None:
        """Its shadow is not loaded any more."""
        self._batchers.pop(model, None)

    def _begin(self, copy: Copy) -> None:
        seat, batcher = copy.seat, self._batcher(copy.seat)
        if batcher is None or batcher.waiting_rows >= self._queue_rows:
            self._metrics.shadowed(seat.model, seat.label, "dropped")
            return
        at_us, began = self._journal.now_us(), time.perf_counter()

        def answered(scores: Scores | None) -> None:
            self._count(copy, scores, at_us, time.perf_counter() - began)

        try:
            waiting = batcher.scores(*copy.encode(seat.columns), math.inf)
        except Exception as error:
            if isinstance(error, Refusal) and error.status == BUSY:
                self._metrics.shadowed(seat.model, seat.label, "dropped")
            else:
                _say(error, seat)
                answered(None)
            return
        waiting.heard = lambda done: answered(_scores(done, seat))

    def _count(self, copy: Copy, scores: Scores | None, at_us: int, seconds: float) -> None:
        """`scores`: None if it failed."""
        seat = copy.seat
        self._metrics.shadowed(seat.model, seat.label, "failed" if scores is None else "answered", seconds)
        mine = copy.exchange.picked._replace(seat=seat, why="shadow")
        self._journal.offer(
            copy.exchange._replace(picked=mine),
            scores,
            at_us=at_us,
            latency_us=round(seconds * 1e6),
            status=500 if scores is None else 200,
        )

    def _batcher(self, seat: Seat) -> Batcher | None:
        """None for one that was asleep when the request came: copies load nothing."""
        loaded = seat.loaded
        if loaded is None:
            return None
        known = self._batchers.get(seat.model)
        if known is None or known[0] is not seat:
            made = Batcher(
                loaded.run,
                expected_s=lambda rows: math.inf,  # never in the loop
                largest=loaded.largest,
                queue_rows=self._queue_rows,
                thread=self._thread,
                on_batch=lambda batch: self._metrics.batch(seat.model, seat.label, batch),
            )
            known = self._batchers[seat.model] = seat, made
        return known[1]


def _scores(answered: Pending, seat: Seat) -> Scores | None:
    """None for a run that failed."""
    error = answered.exception()
    if error is None:
        return answered.result()
    _say(error, seat)
    return None


def _say(error: BaseException, seat: Seat) -> None:
    """What it refuses is counted, and no fault."""
    if not isinstance(error, Refusal):
        log.error("shadow %s %s failed", seat.model, seat.label, exc_info=error)
