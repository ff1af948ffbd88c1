"""An answer that is dear to find: found in a thread of its own, kept, and found again when it is asked for late."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")
log = logging.getLogger(__name__)


class Remembered(Generic[T]):
    """The newest answer of `find`. However many ask, one search runs at a time."""

    def __init__(self, find: Callable[[], T], good_for: float, monotonic: Callable[[], float]) -> None:
        """`good_for`: seconds after which an answer is looked for again; `monotonic`: seconds."""
        self._find = find
        self._good_for = good_for
        self._monotonic = monotonic
        self._answer: T | None = None
        self._found_at = float("-inf")
        self._search: threading.Thread | None = None
        self._turn = threading.Lock()

    def get(self, wait: float, *, fresh: bool = False) -> T | None:
        """The newest answer there is; None when the first one is not there after `wait` seconds.

        With `fresh` a new one is waited for so long.
        """
        with self._turn:
            stale = fresh or self._monotonic() - self._found_at > self._good_for
            if stale and (self._search is None or not self._search.is_alive()):
                self._search = threading.Thread(target=self._look, name="remembered", daemon=True)
                self._search.start()
            search = self._search
        if search is not None and (fresh or self._answer is None):
            search.join(wait)
        return self._answer

    def _look(self) -> None:
        try:
            self._answer = self._find()
        except Exception:  # who asks next looks again; a fault here must not be taken for an answer
            log.exception("nothing was found")
            return
        self._found_at = self._monotonic()
