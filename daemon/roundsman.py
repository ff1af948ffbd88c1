"""A thread that goes its rounds until it is told to stop. No fault of one round is the end of those after it."""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from typing import Final

from store.errors import TrainshedError

STOP_S: Final = 2.0
log = logging.getLogger(__name__)


class Roundsman(ABC):
    """What a round does is `_round`. The other methods may be called from any thread."""

    def __init__(
        self,
        name: str,
        *,
        trouble: str,
        action: str,
        again_s: float,
        first_s: float = 0.0,
        patience_s: float | None = STOP_S,
    ) -> None:
        """`trouble`: what it means, in the log, that a round could not be gone, and the `action` there. The first round
        begins `first_s` after the start, and one that could not be gone is tried again after `again_s`. `patience_s`:
        for how long a stop waits for the round that is under way; None: to its end.
        """
        self._name = name
        self._trouble = trouble
        self._action = action
        self._again_s = again_s
        self._first_s = first_s
        self._patience_s = patience_s
        self._woken = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self.stumbled: str | None = None
        """The fault in the program that its last round ended with, or None."""

    @abstractmethod
    def _round(self) -> float | None:
        """Seconds to the next round; None: that begins when it is woken."""

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Begins no further round."""
        self._stopping = True
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join(self._patience_s)

    def wake(self) -> None:
        """The next round begins now."""
        self._woken.set()

    def _run(self) -> None:
        pause: float | None = self._first_s
        while not self._told_to_stop_within(pause):
            try:
                pause = self._round()
                self.stumbled = None
            except TrainshedError as error:
                log.warning("%s: %s", self._trouble, error, extra={"action": self._action})
                pause = self._again_s
            except Exception as error:  # a fault of ours
                log.exception("the thread of the %s stumbled", self._name, extra={"action": self._action})
                self.stumbled = f"{type(error).__name__}: {error}"
                pause = self._again_s

    def _told_to_stop_within(self, pause: float | None) -> bool:
        """Waits for the pause, or until it is woken."""
        self._woken.wait(pause)
        self._woken.clear()
        return self._stopping
