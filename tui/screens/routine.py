"""What jobs and schedules have in common on a screen of their own: what is known of one, and its last runs below."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.containers import Vertical
from textual.widget import Widget

from tui.keybindings import bindings
from tui.pane import Pane
from tui.rows import jobs as rows
from tui.screens.base import ShedScreen
from tui.screens.running import backfill_a_schedule, run_a_job, turn_a_schedule
from tui.screens.section import Section
from tui.table import Table
from tui.text import Lines

if TYPE_CHECKING:
    from store.wire import ChangesView, PastRun


class Routine(ShedScreen):
    """One thing that runs again and again. Subclasses read it, and say which job and schedule the keys mean."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("jobs")
    AUTO_FOCUS = "#runs"
    THEN: ClassVar[str]
    """What of it is not kept, said at a time in the past."""
    NEVER_RAN: ClassVar[str]

    @property
    def crumb(self) -> str:
        """What it is called on the first line."""
        raise NotImplementedError

    @property
    def job(self) -> str | None:
        """What `T` runs; None while that is not known."""
        raise NotImplementedError

    @property
    def schedule(self) -> str | None:
        """What `S` and `F` are about; None where that is not plain."""
        raise NotImplementedError

    def find(self) -> None:
        """Asks the daemon for it."""
        raise NotImplementedError

    @property
    def crumbs(self) -> Sequence[str]:
        return [*list(super().crumbs)[:-1], self.crumb]

    def body(self) -> Iterable[Widget]:
        yield Vertical(
            Pane(id="about", focusable=True),
            Section(rows.past_columns(), lambda run: run.id, empty=self.NEVER_RAN, first=True, id="runs"),
        )

    def read(self) -> None:
        self.tell_of_the_past(self.THEN)
        self.find()

    def news(self, changes: ChangesView) -> None:
        if changes.schedules or any(run.state != "running" for run in changes.runs):
            self.read()

    def show(self, about: Lines, runs: Sequence[PastRun]) -> None:
        self.query_one("#runs", Section).show(runs)
        self.query_one(Pane).show(about)
        self.refresh_bindings()

    def on_table_opened(self, event: Table.Opened) -> None:
        self.shed.open("run", str(event.row.id))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only the keys that mean something here."""
        meant = {"trigger": self.job, "pause": self.schedule, "backfill": self.schedule}
        if action in meant and meant[action] is None:
            return False
        return super().check_action(action, parameters)

    def action_trigger(self) -> None:
        if self.job is not None:
            run_a_job(self, self.job)

    def action_pause(self) -> None:
        if self.schedule is not None:
            turn_a_schedule(self, self.schedule)

    def action_backfill(self) -> None:
        if self.schedule is not None:
            backfill_a_schedule(self, self.schedule)
