"""One schedule: when it fires, its next times in both clocks, and what became of the last ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.failure import Failure
from tui.rows import jobs as rows
from tui.rows import past
from tui.screens.base import Subject
from tui.screens.routine import Routine

if TYPE_CHECKING:
    from datetime import datetime

    from store.wire import TimetableView
    from tui.client import Client

_TIMES = 8
_PAST = 100


class ScheduleScreen(Routine):
    THEN = past.SCHEDULE
    NEVER_RAN = "none of its times has had a run yet"

    def __init__(self, name: str) -> None:
        super().__init__()
        self.schedule_name = name
        self._time: TimetableView | None = None

    @property
    def crumb(self) -> str:
        return f"schedule {self.schedule_name}"

    @property
    def job(self) -> str | None:
        return None if self._time is None else self._time.schedule.job

    @property
    def schedule(self) -> str:
        return self.schedule_name

    @property
    def subject(self) -> Subject | None:
        schedule = None if self._time is None else self._time.schedule
        return Subject(f"schedule {self.schedule_name}", f"trainshed schedules next {self.schedule_name}", schedule)

    def find(self) -> None:
        moment = self.shed.moment
        self.ask("schedule", lambda daemon: self._find(daemon, moment), self._show)

    def _find(self, daemon: Client, moment: datetime | None) -> TimetableView:
        for time in daemon.timetable(count=_TIMES, past=_PAST, at=moment).items:
            if time.schedule.name == self.schedule_name:
                return time
        if moment is not None:
            raise Failure("there was no such schedule then", where=self.schedule_name, remedy="Esc returns to now")
        raise Failure(
            "the project has no such schedule", where=self.schedule_name, remedy="Jobs (7) lists what there is"
        )

    def _show(self, found: TimetableView) -> None:
        self._time = found
        self.show([*rows.schedule_of(found), *rows.schedule_facts(found, self.shed.frame)], found.runs)
