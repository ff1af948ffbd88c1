"""Questions to the daemon, answered in the background: the UI never waits, and only the newest of a kind counts.

A question belongs to a group. While one of a group is under way, the next waits, and a newer one takes its place: who
types ten letters asks two or three times, and hears what was found by the last. Where questions come faster than their
answers for longer than that, as they do from a busy box, every third answer is told: else none would ever be. Before
`open` nothing is asked: the way to the daemon takes longer to load than the first picture to draw, and would hold it
up.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from tui.failure import Failure

if TYPE_CHECKING:
    from tui.client import Client

T = TypeVar("T")
_HANDS: Final = 4
_PATIENCE: Final = 3
"""Answers of a group that go by untold, one after the other, before one is told though a newer question waits."""


@dataclass(frozen=True)
class _Question:
    put: Callable[[Client], Any]
    answered: Callable[[Any], None]
    refused: Callable[[Failure], None]


class Desk:
    """Use from the UI's thread. `deliver` runs a callable there, from any thread."""

    def __init__(self, connect: Callable[[], Client], deliver: Callable[[Callable[[], None]], object]) -> None:
        self._connect = connect
        self._deliver = deliver
        self._hands = ThreadPoolExecutor(_HANDS, thread_name_prefix="desk")
        self._daemon: Client | None = None
        self._making = threading.Lock()
        self._busy: set[str] = set()
        self._next: dict[str, _Question] = {}
        self._untold: dict[str, int] = {}
        self._opened = False
        self._closed = False

    @property
    def idle(self) -> bool:
        """Nothing is under way: tests wait for this instead of sleeping."""
        return not self._busy and not self._next

    def open(self) -> None:
        """From now on questions are put; those that wait, in their order."""
        self._opened = True
        for group in list(self._next):
            self._start(group, self._next.pop(group))

    def ask(
        self,
        group: str,
        put: Callable[[Client], T],
        answered: Callable[[T], None],
        refused: Callable[[Failure], None],
    ) -> None:
        """Calls `put` in a thread, then `answered` or `refused` in the UI's."""
        if self._closed:
            return
        question = _Question(put, answered, refused)
        if group in self._busy or not self._opened:
            self._next[group] = question
        else:
            self._start(group, question)

    def close(self) -> None:
        self._closed = True
        self._next.clear()
        self._hands.shutdown(wait=False, cancel_futures=True)
        if self._daemon is not None:
            self._daemon.close()

    def _start(self, group: str, question: _Question) -> None:
        self._busy.add(group)
        self._hands.submit(self._work, group, question)

    def _work(self, group: str, question: _Question) -> None:
        try:
            answer = question.put(self._client())
        except Failure as failure:
            told = failure
            self._deliver(lambda: self._done(group, lambda: question.refused(told)))
        except Exception as error:  # a fault of ours: it must be seen, and must not kill the thread in silence
            fault = error
            self._deliver(lambda: self._broken(group, fault))
        else:
            self._deliver(lambda: self._done(group, lambda: question.answered(answer)))

    def _client(self) -> Client:
        with self._making:
            if self._daemon is None:
                self._daemon = self._connect()
            return self._daemon

    def _done(self, group: str, tell: Callable[[], None]) -> None:
        self._busy.discard(group)
        if self._closed:
            return
        waiting = self._next.pop(group, None)
        untold = self._untold.pop(group, 0) + 1
        if waiting is not None:
            self._start(group, waiting)
            if untold < _PATIENCE:
                self._untold[group] = untold
                return
        tell()

    def _broken(self, group: str, fault: Exception) -> None:
        self._busy.discard(group)
        if not self._closed:
            raise fault
