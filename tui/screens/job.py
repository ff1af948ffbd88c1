"""One job: what it is, what it builds upon, its schedules with their next times, and how its last runs went."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.containers import Vertical
from textual.widget import Widget

from tui.keybindings import bindings
from tui.pane import Pane
from tui.rows import jobs as rows
from tui.rows import past
from tui.screens.base import ShedScreen, Subject
from tui.screens.running import backfill_a_schedule, run_a_job, turn_a_schedule
from tui.screens.section import Section
from tui.table import Table
from tui.text import Line, heading, line

if TYPE_CHECKING:
    from datetime import datetime

    from store.wire import ChangesView, JobView, TimetableView
    from tui.client import Client

_TIMES = 5


class JobScreen(ShedScreen):
    BINDINGS: ClassVar[list[BindingType]] = bindings("jobs")
    AUTO_FOCUS = "#runs"

    def __init__(self, name: str) -> None:
        super().__init__()
        self.job_name = name
        self._times: list[TimetableView] = []

    @property
    def crumbs(self) -> Sequence[str]:
        return [*list(super().crumbs)[:-1], self.job_name]

    @property
    def subject(self) -> Subject | None:
        return Subject(f"job {self.job_name}", f"trainshed runs list --job {self.job_name}")

    def body(self) -> Iterable[Widget]:
        yield Vertical(
            Pane(id="about", focusable=True),
            Section(
                rows.past_columns(),
                lambda run: run.id,
                empty="it has never run: T runs it now",
                first=True,
                id="runs",
            ),
        )

    def read(self) -> None:
        moment = self.shed.moment
        self.tell_of_the_past(past.JOB)
        self.ask("job", lambda daemon: self._find(daemon, moment), self._show)

    def news(self, changes: ChangesView) -> None:
        if changes.schedules or any(run.state != "running" for run in changes.runs):
            self.read()

    def _find(self, daemon: Client, moment: datetime | None) -> tuple[dict[str, JobView], list[TimetableView]]:
        times = daemon.timetable(count=_TIMES, at=moment).items
        return {job.name: job for job in daemon.jobs(at=moment)}, [t for t in times if t.schedule.job == self.job_name]

    def _show(self, found: tuple[dict[str, JobView], list[TimetableView]]) -> None:
        jobs, self._times = found
        job = jobs.get(self.job_name)
        self.query_one("#runs", Section).show([] if job is None else job.history)
        lines = (
            [line((f"the project defines no job {self.job_name}", "bad"))] if job is None else self._lines(job, jobs)
        )
        self.query_one(Pane).show(lines)
        self.refresh_bindings()

    def _lines(self, job: JobView, jobs: dict[str, JobView]) -> list[Line]:
        lines = rows.job_facts(job)
        for time in self._times:
            lines += [line(), *rows.schedule_facts(time, self.shed.frame)]
        return [*lines, line(), heading("builds upon"), *rows.tree(job.name, jobs)]

    def on_table_opened(self, event: Table.Opened) -> None:
        self.shed.open("run", str(event.row.id))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Which schedule is meant is only plain where there is one."""
        if action in {"pause", "backfill"} and len(self._times) != 1:
            return False
        return super().check_action(action, parameters)

    def action_trigger(self) -> None:
        run_a_job(self, self.job_name)

    def action_pause(self) -> None:
        if self._times:
            turn_a_schedule(self, self._times[0].schedule.name)

    def action_backfill(self) -> None:
        if self._times:
            backfill_a_schedule(self, self._times[0].schedule.name)
