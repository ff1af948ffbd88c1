"""What follows the cursor is told where it is once it lies still: a key that is held down costs two lines a step, and
no question to the daemon."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

REST_S: Final = 0.1


class _Timer(Protocol):
    def stop(self) -> None: ...


class Rest:
    """`after` calls back once so many seconds have passed; `tell` says where the cursor is."""

    def __init__(
        self, after: Callable[[float, Callable[[], None]], _Timer], tell: Callable[[], None], seconds: float = REST_S
    ) -> None:
        self._after = after
        self._tell = tell
        self._timer: _Timer | None = None
        self.seconds = seconds

    @property
    def moving(self) -> bool:
        """It stepped just now, and nobody was told."""
        return self._timer is not None

    def step(self) -> None:
        """The cursor moved on: the time begins anew."""
        if self._timer is not None:
            self._timer.stop()
        self._timer = self._after(self.seconds, self.arrive)

    def arrive(self) -> None:
        """It lies still, or is left: whoever follows has to know now."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
            self._tell()
