"""One schedule: when it fires, its next times in both clocks, and what became of the last ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.containers import Vertical
from textual.widget import Widget

from tui.failure import Failure
from tui.keybindings import bindings
from tui.pane import Pane
from tui.rows import jobs as rows
from tui.rows import past
from tui.screens.base import ShedScreen, Subject
from tui.screens.running import backfill_a_schedule, run_a_job, turn_a_schedule
from tui.screens.section import Section
from tui.table import Table

if TYPE_CHECKING:
    from datetime import datetime

    from store.wire import ChangesView, TimetableView
    from tui.client import Client

_TIMES = 8
_PAST = 100


class ScheduleScreen(ShedScreen):
    BINDINGS: ClassVar[list[BindingType]] = bindings("jobs")
    AUTO_FOCUS = "#runs"

    def __init__(self, name: str) -> None:
        super().__init__()
        self.schedule_name = name
        self._time: TimetableView | None = None

    @property
    def crumbs(self) -> Sequence[str]:
        return [*list(super().crumbs)[:-1], f"schedule {self.schedule_name}"]

    @property
    def subject(self) -> Subject | None:
        schedule = None if self._time is None else self._time.schedule
        return Subject(f"schedule {self.schedule_name}", f"trainshed schedules next {self.schedule_name}", schedule)

    def body(self) -> Iterable[Widget]:
        yield Vertical(
            Pane(id="about", focusable=True),
            Section(
                rows.past_columns(),
                lambda run: run.id,
                empty="none of its times has had a run yet",
                first=True,
                id="runs",
            ),
        )

    def read(self) -> None:
        moment = self.shed.moment
        self.tell_of_the_past(past.SCHEDULE)
        self.ask("schedule", lambda daemon: self._find(daemon, moment), self._show)

    def news(self, changes: ChangesView) -> None:
        if changes.schedules or any(run.state != "running" for run in changes.runs):
            self.read()

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
        self.query_one("#runs", Section).show(found.runs)
        self.query_one(Pane).show([*rows.schedule_of(found), *rows.schedule_facts(found, self.shed.frame)])

    def on_table_opened(self, event: Table.Opened) -> None:
        self.shed.open("run", str(event.row.id))

    def action_trigger(self) -> None:
        if self._time is not None:
            run_a_job(self, self._time.schedule.job)

    def action_pause(self) -> None:
        turn_a_schedule(self, self.schedule_name)

    def action_backfill(self) -> None:
        backfill_a_schedule(self, self.schedule_name)
