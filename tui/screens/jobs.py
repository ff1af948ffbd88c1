"""Jobs: what can run, when it does, how it went; and the queue, with why each run waits."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget

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

    from store.wire import ChangesView, JobView, MomentView, QueueView, TimetableView
    from tui.client import Client

_OF_SCHEDULES = frozenset({"pause", "backfill"})


class Jobs(ShedScreen):
    BINDINGS: ClassVar[list[BindingType]] = bindings("jobs")
    TITLE_HERE = "Jobs"
    AUTO_FOCUS = "#jobs"

    def body(self) -> Iterable[Widget]:
        yield Horizontal(
            Vertical(
                Section(
                    rows.columns(),
                    lambda entry: entry.key,
                    empty="the project defines no jobs: [datasets], [features] and [models] in trainshed.toml do",
                    first=True,
                    id="jobs",
                ),
                Section(rows.queue_columns(), lambda queued: queued.run.id, empty="nothing waits", id="queue"),
            ),
            Pane(id="facts", classes="side"),
        )

    @property
    def entry(self) -> rows.Entry | None:
        """The job under the cursor."""
        table = self.query_one("#jobs", Section)
        return table.row if table.has_focus else None

    @property
    def subject(self) -> Subject | None:
        entry = self.entry
        if entry is None:
            run = self.query_one("#queue", Section).row
            return None if run is None else Subject(f"run {run.run.id}", f"trainshed runs show {run.run.id}", run)
        if entry.schedule is not None:
            name = entry.schedule.name
            return Subject(f"schedule {name}", f"trainshed schedules next {name}", entry.schedule)
        return Subject(f"job {entry.job.name}", f"trainshed runs list --job {entry.job.name}", entry.job)

    def read(self) -> None:
        moment = self.shed.moment
        self.tell_of_the_past(past.JOB)
        if moment is not None:
            self.ask("jobs", lambda daemon: (_jobs(daemon, moment), daemon.moment(moment)), self._show_then)
            return
        self.ask("jobs", _jobs, self._show)
        self.ask("queue", lambda daemon: daemon.queue(), self._show_queue)

    def news(self, changes: ChangesView) -> None:
        """Progress changes nothing here: only states, times and the queue are shown."""
        if changes.schedules or any(run.state != "running" for run in changes.runs) or changes.events:
            self.read()

    def _show(self, found: tuple[list[JobView], list[TimetableView]]) -> None:
        table = self.query_one("#jobs", Section)
        table.show(rows.entries(*found))
        self._draw_facts(table.row)
        self.refresh_bindings()

    def _show_then(self, found: tuple[tuple[list[JobView], list[TimetableView]], MomentView]) -> None:
        jobs, then = found
        self._show(jobs)
        self.query_one("#queue", Section).show(past.queue_then(then))

    def _show_queue(self, found: QueueView) -> None:
        self.query_one("#queue", Section).show(found.waiting)

    def _draw_facts(self, entry: rows.Entry | None) -> None:
        self.query_one(Pane).show([] if entry is None else rows.facts(entry, self.shed.frame))

    def _arrange(self) -> None:
        """The queue takes a third at most."""
        queue = self.query_one("#queue", Section)
        queue.styles.height = max(2, min(queue.wants, self.size.height // 3))

    def on_resize(self, _: events.Resize) -> None:
        self._arrange()

    def on_table_counted(self, _: Table.Counted) -> None:
        self._arrange()

    def on_table_moved(self, event: Table.Moved) -> None:
        if event.table.id == "jobs":
            self._draw_facts(event.row)
        self.refresh_bindings()

    def on_descendant_focus(self, _: events.DescendantFocus) -> None:
        self.refresh_bindings()

    def on_table_opened(self, event: Table.Opened) -> None:
        row: Any = event.row
        if isinstance(row, rows.Entry):
            self.shed.open("job", row.job.name)
        else:
            self.shed.open("run", str(row.run.id))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What needs a schedule is not there for a job without one."""
        entry = self.entry
        if action == "trigger" and (entry is None or not entry.job.pool):
            return False
        if action in _OF_SCHEDULES and (entry is None or entry.schedule is None):
            return False
        return super().check_action(action, parameters)

    def action_trigger(self) -> None:
        if self.entry is not None:
            run_a_job(self, self.entry.job.name)

    def action_pause(self) -> None:
        if self.entry is not None and self.entry.schedule is not None:
            turn_a_schedule(self, self.entry.schedule.name)

    def action_backfill(self) -> None:
        if self.entry is not None and self.entry.schedule is not None:
            backfill_a_schedule(self, self.entry.schedule.name)


def _jobs(daemon: Client, moment: datetime | None = None) -> tuple[list[JobView], list[TimetableView]]:
    return daemon.jobs(at=moment), daemon.timetable(at=moment).items
