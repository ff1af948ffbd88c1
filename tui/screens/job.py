"""One job: what it is, what it builds upon, its schedules with their next times, and how its last runs went."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.rows import jobs as rows
from tui.rows import past
from tui.screens.base import Subject
from tui.screens.routine import Routine
from tui.text import Line, heading, line

if TYPE_CHECKING:
    from datetime import datetime

    from store.wire import JobView, TimetableView
    from tui.client import Client

_TIMES = 5


class JobScreen(Routine):
    THEN = past.JOB
    NEVER_RAN = "it has never run: T runs it now"

    def __init__(self, name: str) -> None:
        super().__init__()
        self.job_name = name
        self._times: list[TimetableView] = []

    @property
    def crumb(self) -> str:
        return self.job_name

    @property
    def job(self) -> str:
        return self.job_name

    @property
    def schedule(self) -> str | None:
        """Which one is meant is only plain where there is one."""
        return self._times[0].schedule.name if len(self._times) == 1 else None

    @property
    def subject(self) -> Subject | None:
        return Subject(f"job {self.job_name}", f"trainshed runs list --job {self.job_name}")

    def find(self) -> None:
        moment = self.shed.moment
        self.ask("job", lambda daemon: self._find(daemon, moment), self._show)

    def _find(self, daemon: Client, moment: datetime | None) -> tuple[dict[str, JobView], list[TimetableView]]:
        times = daemon.timetable(count=_TIMES, at=moment).items
        return {job.name: job for job in daemon.jobs(at=moment)}, [t for t in times if t.schedule.job == self.job_name]

    def _show(self, found: tuple[dict[str, JobView], list[TimetableView]]) -> None:
        jobs, self._times = found
        job = jobs.get(self.job_name)
        if job is None:
            self.show([line((f"the project defines no job {self.job_name}", "bad"))], [])
        else:
            self.show(self._lines(job, jobs), job.history)

    def _lines(self, job: JobView, jobs: dict[str, JobView]) -> list[Line]:
        lines = rows.job_facts(job)
        for time in self._times:
            lines += [line(), *rows.schedule_facts(time, self.shed.frame)]
        return [*lines, line(), heading("builds upon"), *rows.tree(job.name, jobs)]
