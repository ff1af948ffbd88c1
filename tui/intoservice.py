"""Follows a version into service beside the request that puts it there: a line on standard error for each phase."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from tui.failure import Failure

if TYPE_CHECKING:
    from store.wire import IntoServiceView
    from tui.client import Client

POLL_SECONDS: Final = 1.0


class Told:
    """Which phases were told already, of the version that is meant. Threads share it."""

    def __init__(self, model: str, version: int, since: int, tell: Callable[[str], None]) -> None:
        """`since`: the number of the state before, of which nothing is told."""
        self._meant = (model, version)
        self._tell = tell
        self._turn = threading.Lock()
        self._lines = 0
        self.number = since

    def hear(self, view: IntoServiceView) -> None:
        from store.wire import PHASES

        with self._turn:
            if view.number <= self.number or (view.model, view.version) != self._meant:
                return
            self.number = view.number
            for place, one in list(enumerate(view.phases))[self._lines :]:
                passed = sum(before.seconds for before in view.phases[:place])
                self._tell(f"  {passed:5.1f} s  {PHASES[one.phase]}")
                self._lines = place + 1


@contextmanager
def followed(daemon: Client, model: str, version: int, tell: Callable[[str], None]) -> Iterator[None]:
    """`tell` hears of each phase that begins while the block runs."""
    told = Told(model, version, daemon.into_service().number, tell)
    over = threading.Event()
    thread = threading.Thread(target=_follow, args=(daemon, told, over), daemon=True)
    thread.start()
    try:
        yield
        told.hear(daemon.into_service())
    finally:
        over.set()
        thread.join(2 * POLL_SECONDS)


def _follow(daemon: Client, told: Told, over: threading.Event) -> None:
    try:
        while not over.is_set():
            told.hear(daemon.into_service(after=told.number, wait=POLL_SECONDS))
    except Failure:
        return  # the request beside us says it
