"""For how long who comes may wait: for long in a burst, for a tenth of it while there are too many.

A burst is answered late, but as a whole: for that there is a queue. Where more is asked than can be answered for longer
than a burst lasts, a long queue answers nobody more: it stays as long as it may be, and everybody waits for that long,
on a connection each. So once somebody had to be refused, the others are refused sooner, until for a while nobody had to
be (K. Nichols and V. Jacobson, Controlling Queue Delay, ACM Queue 10(5), 2012; for servers B. Maurer, Fail at Scale,
ACM Queue 13(8), 2015). Whoever finds room as it is usually finds it: clients that each wait for their answer before
they ask again, for one, as many as can be answered within the longest wait.
"""

from __future__ import annotations

import math
from typing import Final

SHORT: Final = 0.1
"""Of the longest wait, while there are too many."""
CALM_S: Final = 1.0
"""So long nobody had to be refused: then those who were come again (`Retry-After`)."""


class Standing:
    """Of one queue. Times are seconds of a monotonic clock."""

    __slots__ = ("_longest_s", "_until")

    def __init__(self, longest_s: float) -> None:
        self._longest_s = longest_s
        self._until = -math.inf

    def too_many(self, now: float) -> bool:
        """Whether somebody had to be refused within the last second."""
        return now < self._until

    def bound_s(self, now: float) -> float:
        """For how long who comes may have to wait."""
        return SHORT * self._longest_s if self.too_many(now) else self._longest_s

    def refused(self, now: float) -> None:
        """Somebody would have had to wait for longer."""
        self._until = now + CALM_S
