"""What the serving processes count, written down: every ten seconds, every two while somebody looks, seldom at rest."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from daemon.roundsman import Roundsman
from daemon.servingcounts import Facts, Look, counted_between, look
from store import servingsamples
from store.engine import Record
from store.errors import ServingError
from store.servingsamples import Counted
from store.times import Clock, to_us, us

PACE_S: Final = 10.0
LOOKED_AT_PACE_S: Final = 2.0
LOOKED_AT_S: Final = 15.0
"""For so long after a question somebody looks."""
REST_S: Final = 60.0
"""Between two rows that say that nothing has happened."""
KEPT: Final = timedelta(days=2)


class Rests:
    """Which of the rows are worth writing: those that say something, and at rest one now and then."""

    def __init__(self) -> None:
        self._since: dict[tuple[str, int], float] = {}
        """(model, version) → seconds of rest that no row speaks of."""
        self._resting: set[tuple[str, int]] = set()

    def worth(self, counted: Iterable[Counted]) -> list[Counted]:
        """A rest begins with a row, and goes on with one for each `REST_S`, which stands for all of it."""
        found = []
        for one in counted:
            key = one.model, one.version
            rested = self._since.pop(key, 0.0) + one.seconds
            if not one.at_rest:
                self._resting.discard(key)
                found.append(one)
            elif key in self._resting and rested < REST_S:
                self._since[key] = rested
            else:
                self._resting.add(key)
                found.append(replace(one, seconds=rested))
        return found


class ServingSampler(Roundsman):
    """Its methods may be called from any thread."""

    def __init__(
        self,
        record: Record,
        clock: Clock,
        ask: Callable[[], Sequence[Facts] | None],
        on_look: Callable[[Sequence[Facts]], None] = lambda _: None,
    ) -> None:
        """`ask`: the numbers of every worker; None while nothing is served. Raises ServingError.

        `on_look` is called with them too.
        """
        trouble = "what endpoints counted is not written down"
        super().__init__("serving sampler", trouble=trouble, action="serving_sample", again_s=PACE_S, patience_s=None)
        self._record = record
        self._clock = clock
        self._ask = ask
        self._on_look = on_look
        self._before: Look | None = None
        self._before_at = 0.0
        self._rests = Rests()
        self._looked_at = self._began = float("-inf")

    def watch(self) -> None:
        """Somebody looks: the pace is the faster one for a while."""
        slow = time.monotonic() - self._looked_at > LOOKED_AT_S
        self._looked_at = time.monotonic()
        if slow:
            self.wake()

    def _round(self) -> float:
        now = time.monotonic()
        too_soon = self._began + LOOKED_AT_PACE_S - now
        if too_soon > 0.0:  # woken by somebody who looks
            return too_soon
        self._began = now
        self.sample(now)
        pace = LOOKED_AT_PACE_S if now - self._looked_at <= LOOKED_AT_S else PACE_S
        return max(0.0, now + pace - time.monotonic())

    def sample(self, now: float) -> None:
        """One look, at `now` on the monotonic clock; what was counted since the one before goes into the record."""
        try:
            facts = self._ask()
        except ServingError:
            return  # it starts or ends: what was counted is in the next look
        if facts is None:
            self._before = None
            return
        self._on_look(facts)
        found, before = look(facts), self._before
        passed = now - self._before_at
        self._before, self._before_at = found, now
        if before is None:
            return
        worth = self._rests.worth(counted_between(before, found, passed))
        if worth:
            with self._record.transaction() as tx:
                servingsamples.add(tx, worth)
                servingsamples.forget_before(tx, to_us(self._clock()) - us(KEPT))
