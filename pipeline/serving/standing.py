"""For how long who comes may wait: for long while what waits comes and goes, for a tenth of it once the queue stands.

A burst is answered late, but as a whole: for that there is a queue. Where more is asked than can be answered for longer
than a burst lasts, a long queue answers nobody more: it only makes everybody wait for as long as is allowed, on a
connection each. So there those who come are refused sooner, until for a while no more come than are answered (K.
Nichols and V. Jacobson, Controlling Queue Delay, ACM Queue 10(5), 2012; for servers B. Maurer, Fail at Scale, ACM Queue
13(8), 2015). Clients that each wait for their answer before they ask again do not make a queue stand: they ask no more
than is answered, once all of them have begun.
"""

from __future__ import annotations

import math
from typing import Final

LOOK_S: Final = 0.03
"""Between two looks at least, while somebody has waited all the time."""
FEWEST: Final = 24
"""Begun between them at least, or it takes longer: of fewer, chance brings half as many more often enough."""
LONGEST_LOOK_S: Final = 0.5
MORE: Final = 1.5
"""Times as many are asked as are begun. Twice in a row: once it is a burst, or clients that begin together."""
SHORT: Final = 0.1
"""Of the longest wait, where the queue stands."""
CALM_S: Final = 1.0
"""So long after more were asked than begun it still does: then those who were refused come again (`Retry-After`)."""


class Standing:
    """Of one queue. Times are seconds of a monotonic clock."""

    __slots__ = ("_begun", "_grew", "_longest_s", "_since", "_until", "asked")

    def __init__(self, longest_s: float) -> None:
        self._longest_s = longest_s
        self.asked = 0
        """Since the last look, the refused too; whoever asks is counted here."""
        self._begun = 0
        self._grew = False
        """At the last look."""
        self._since = math.inf
        self._until = -math.inf

    def bound_s(self, now: float) -> float:
        """For how long who comes may have to wait."""
        return SHORT * self._longest_s if now < self._until else self._longest_s

    def begun(self, number: int, wait_s: float, now: float) -> None:
        """So many are answered next, while others wait; who comes now waits for `wait_s`."""
        self._begun += number
        if self._since == math.inf:
            self._look_from(now)
        elif now - self._since >= (LOOK_S if self._begun >= FEWEST else LONGEST_LOOK_S):
            grew = self.asked > MORE * self._begun and wait_s > SHORT * self._longest_s
            if (grew and self._grew) or (now < self._until and self.asked > self._begun):
                self._until = now + CALM_S
            self._grew = grew
            self._look_from(now)

    def emptied(self) -> None:
        """Nobody waits."""
        self._grew = False
        self._look_from(math.inf)

    def _look_from(self, now: float) -> None:
        self._since = now
        self.asked = self._begun = 0
