"""What the version that is going into service is at, told to whoever waits for the next phase."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from store.wire import IntoServiceView, PhaseView
from store.words import PHASES, Phase


@dataclass
class _Going:
    model: str
    version: int
    began: list[tuple[Phase, float]] = field(default_factory=list)
    ended: float | None = None


class Phases:
    """One version at a time. Its methods may be called from any thread."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._changed = threading.Condition()
        self._number = 0
        self._going: _Going | None = None

    @contextmanager
    def of(self, model: str, version: int) -> Iterator[None]:
        """While the block runs, `enter` speaks of this version."""
        self._now(_Going(model, version))
        try:
            yield
        finally:
            with self._changed:
                if self._going is not None:
                    self._going.ended = self._monotonic()
                self._told()

    def enter(self, phase: str) -> None:
        """The next one begins; what a later release calls one that is not known here is passed over."""
        known = next((name for name in PHASES if name == phase), None)
        with self._changed:
            if self._going is not None and self._going.ended is None and known is not None:
                self._going.began.append((known, self._monotonic()))
                self._told()

    @property
    def sentence(self) -> str | None:
        """What is going on, for a person; None when nothing is."""
        with self._changed:
            going = self._going
            if going is None or going.ended is not None or not going.began:
                return None
            return f"{going.model} {going.version}: {PHASES[going.began[-1][0]]}"

    def view(self, after: int, wait: float) -> IntoServiceView:
        """The newest state, at once if it is newer than number `after`, else after at most `wait` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._number > after, wait)
            going, now = self._going, self._monotonic()
            if going is None:
                return IntoServiceView(number=self._number, model=None, version=None, under_way=False, phases=[])
            end = now if going.ended is None else going.ended
            until = [began for _, began in [*going.began, ("", end)]][1:]
            return IntoServiceView(
                number=self._number,
                model=going.model,
                version=going.version,
                under_way=going.ended is None,
                phases=[
                    PhaseView(phase=phase, seconds=round(then - began, 3))
                    for (phase, began), then in zip(going.began, until, strict=True)
                ],
            )

    def _now(self, going: _Going) -> None:
        with self._changed:
            self._going = going
            self._told()

    def _told(self) -> None:
        self._number += 1
        self._changed.notify_all()
