"""The thread that queues what is due.

It sleeps until the next schedule is due and at most a second, on a clock that nobody sets; so a schedule is never
early, and after the wall clock was set it looks again within the second.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from daemon.claim import rewind
from daemon.roundsman import Roundsman
from store import events, schedules
from store.engine import Record, Transaction
from store.times import SECOND, Clock, to_us, us

LONGEST_SLEEP: Final = 1.0
"""Seconds."""
JUMP: Final = timedelta(seconds=2)
"""The wall clock was set if it went this much further, or less far, than time did."""


class Scheduler(Roundsman):
    """Woken when a schedule was changed."""

    def __init__(
        self,
        record: Record,
        claim: Callable[[Transaction], list[int]],
        clock: Clock,
        on_claimed: Callable[[], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`claim` queues what is due in the transaction it is given; `on_claimed` is called after the commit."""
        super().__init__(
            "scheduler",
            trouble="schedules could not be looked at, tried again in a second",
            action="tick_failed",
            again_s=LONGEST_SLEEP,
            patience_s=None,
        )
        self._record = record
        self._claim = claim
        self._clock = clock
        self._on_claimed = on_claimed
        self._monotonic = monotonic
        self._lead = self._wall_lead()
        self._ticked = monotonic()

    def silent_for(self) -> float:
        """Seconds since it last looked at the schedules and could."""
        return self._monotonic() - self._ticked

    def _round(self) -> float:
        sleep = self.tick()
        self._ticked = self._monotonic()
        return sleep

    def tick(self) -> float:
        """Queues what is due; seconds until it wants to be called again. Raises RecordBusy, StorageError."""
        self._notice_jump()
        due = self._next_due()
        while due is not None and due <= to_us(self._clock()):
            with self._record.transaction() as tx:
                claimed = self._claim(tx)
            if claimed:
                self._on_claimed()
            due = self._next_due()
        if due is None:
            return LONGEST_SLEEP
        return min(LONGEST_SLEEP, max(0.0, (due - to_us(self._clock())) / SECOND))

    def _next_due(self) -> int | None:
        with self._record.read() as session:
            return schedules.next_due(session)

    def _wall_lead(self) -> int:
        """How far (µs) the wall clock is ahead of the clock that nobody sets."""
        return to_us(self._clock()) - int(self._monotonic() * SECOND)

    def _notice_jump(self) -> None:
        lead = self._wall_lead()
        jump = lead - self._lead
        if abs(jump) <= us(JUMP):
            # Small differences add up over months (NTP slews): follow them, so that they are never taken for a jump.
            self._lead = lead
            return
        with self._record.transaction() as tx:
            events.append(
                tx,
                actor="daemon",
                kind="clock.jumped",
                subject="daemon",
                message=f"the wall clock was set by {jump / SECOND:+.1f} s; schedules follow it",
                data={"seconds": jump / SECOND},
            )
            if jump < 0:
                rewind(tx)
        self._lead = lead
