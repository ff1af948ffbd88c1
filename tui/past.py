"""Replay: the whole UI at a time in the past, and from event to event."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from tui.failure import Failure, Usage
from tui.link import Link

if TYPE_CHECKING:
    from tui.core import ShedCore


class Past:
    """Where in time the UI is. Screens read `shed.moment`; None is now."""

    def __init__(self, shed: ShedCore) -> None:
        self._shed = shed
        self.moment: datetime | None = None

    def show(self, text: str) -> None:
        """`text`: a time as a person writes it."""
        from tui.moments import read_moment

        try:
            moment = read_moment(text, self._shed.now(), self._shed.frame.zone)
            if moment > self._shed.now():
                raise Usage(f"{text.strip()} is still to come", where="at", remedy="write a time that has passed")
        except Failure as failure:
            self._shed.refuse(failure)
        else:
            self._turn_to(moment)

    def step(self, direction: int) -> None:
        """To the time of the event before (-1) or after (1)."""
        moment = self.moment
        if moment is not None:
            self._shed.ask("step", lambda daemon: daemon.step(moment, later=direction > 0), self._stepped)

    def leave(self) -> None:
        self._turn_to(None)

    def _stepped(self, found: datetime | None) -> None:
        if found is None:
            self._shed.say("there is no event further on", "warn")
        else:
            self._turn_to(found)

    def _turn_to(self, moment: datetime | None) -> None:
        self.moment = None if moment is None else moment.astimezone(self._shed.frame.zone)
        self._shed.stand(Link("live"))
        self._shed.read_again()
