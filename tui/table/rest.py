"""What follows the cursor is told where it is once it lies still: a key that is held down costs two lines a step, and
no question to the daemon."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

REST_S: Final = 0.1


class Rest:
    """`tell` says where the cursor is. Use within an event loop: its timer is one that is late on a busy machine, while
    Textual's own is left out when it is late."""

    def __init__(self, tell: Callable[[], None], seconds: float = REST_S) -> None:
        self._tell = tell
        self._timer: asyncio.TimerHandle | None = None
        self.seconds = seconds

    @property
    def moving(self) -> bool:
        """It stepped just now, and nobody was told."""
        return self._timer is not None

    def step(self) -> None:
        """The cursor moved on: the time begins anew."""
        self.leave()
        self._timer = asyncio.get_running_loop().call_later(self.seconds, self.arrive)

    def arrive(self) -> None:
        """It lies still, or is left: whoever follows has to know now."""
        if self._timer is not None:
            self.leave()
            self._tell()

    def leave(self) -> None:
        """Nobody is to be told any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
