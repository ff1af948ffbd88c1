"""Scores that somebody waits for: a task as for any future, a connection without a turn of the loop in between."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from pipeline.serving.outputs import Scores

Outcome = Scores | Exception
log = logging.getLogger(__name__)


class Pending(asyncio.Future[Scores]):
    """Belongs to the thread of its event loop."""

    heard: Callable[[Pending], None] | None = None
    """Called as soon as the outcome is there, in the midst of whoever brings it. A callback of a future would wait for
    the next turn of the loop, and whoever has its answer a turn earlier asks again in time for the next batch."""

    def settle(self, outcome: Outcome) -> None:
        """Once. Whoever fails over an answer holds up none of those who have theirs from the same run."""
        if isinstance(outcome, Exception):
            self.set_exception(outcome)
        else:
            self.set_result(outcome)
        heard, self.heard = self.heard, None
        if heard is not None:
            try:
                heard(self)
            except Exception:
                log.exception("an answer could not be given")
