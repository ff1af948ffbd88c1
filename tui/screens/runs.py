"""Runs: live and past, a million as easily as one."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widget import Widget

from tui.keybindings import bindings
from tui.pane import Pane
from tui.proposals.runs import cancel_run, retry_run
from tui.rows import past
from tui.rows import runs as rows
from tui.screens.base import ShedScreen, Subject
from tui.table import Query, Slice, Table

if TYPE_CHECKING:
    from store.wire import ChangesView, RunView, SparkView
    from tui.client import Client
    from tui.failure import Failure


class RunSource:
    """The daemon's runs, by position; in the past those that had been asked for, as they were."""

    local = False

    def __init__(self, moment: Callable[[], datetime | None]) -> None:
        self.moment = moment

    def key(self, row: RunView) -> int:
        return row.id

    def window(self, daemon: Client, query: Query, offset: int, limit: int) -> Slice[RunView]:
        moment = self.moment()
        found = daemon.run_window(
            past.created_by(query.filter, moment), sort=query.sort or "-id", offset=offset, limit=limit
        )
        return Slice(past.runs_at(found.items, moment) if moment else found.items, found.offset, found.total)

    def count(self, daemon: Client, query: Query) -> int:
        return daemon.count_runs(past.created_by(query.filter, self.moment()), sort=query.sort or "-id")


class Runs(ShedScreen):
    BINDINGS: ClassVar[list[BindingType]] = bindings("runs")
    TITLE_HERE = "Runs"

    def __init__(self) -> None:
        super().__init__()
        self.sparks: dict[int, SparkView] = {}
        self._newer: dict[Hashable, RunView] = {}
        """States of runs that came with the news, and are drawn with their objectives."""

    def body(self) -> Iterable[Widget]:
        yield Horizontal(
            Table(
                rows.columns(self.sparks),
                RunSource(lambda: self.shed.moment),
                empty="nothing has run yet\nJobs (7) lists what can, T there runs it; or `trainshed run JOB`",
                order="-id",
                faults=rows.FAULTS,
            ),
            Pane(id="facts", classes="side"),
        )

    @property
    def table(self) -> Table[RunView]:
        return self.query_one(Table)

    @property
    def subject(self) -> Subject | None:
        run = self.table.row
        return None if run is None else Subject(f"run {run.id}", f"trainshed runs show {run.id}", run)

    def read(self) -> None:
        self._read_sparks()

    def news(self, changes: ChangesView) -> None:
        """Known runs are renewed in place; a new run, or another order, means asking again."""
        table = self.table
        known = {run.id for run in table.pages.here(table.in_view)}
        self._newer.update({run.id: run for run in changes.runs})
        newest = max(known, default=0)
        if any(run.id > newest for run in changes.runs) or table.query_.filter:
            table.reread()
        if changes.runs:
            self._read_sparks()

    def _read_sparks(self) -> None:
        """The objective of each training run in view; what is newer of the runs is drawn with it, each line once."""
        wanted = [run.id for run in self.table.pages.here(self.table.in_view) if run.kind == "train"]
        if wanted:
            self.ask("sparks", lambda daemon: daemon.sparks(wanted), self._show_sparks, self._no_sparks)
        else:
            self._show_sparks([])

    def _show_sparks(self, found: list[SparkView]) -> None:
        grown = {one.run for one in found if self.sparks.get(one.run) != one}
        self.sparks.update({one.run: one for one in found})
        newer, self._newer = self._newer, {}
        if grown - self.table.renew(newer):
            self.table.redraw()
        self._show_facts(self.table.row)  # at once, and not with the table's message: one picture instead of two

    def _no_sparks(self, failure: Failure) -> None:
        self._show_sparks([])
        self.refuse(failure)

    def on_table_moved(self, event: Table.Moved) -> None:
        self._show_facts(event.row)

    def _show_facts(self, run: RunView | None) -> None:
        self.query_one(Pane).show([] if run is None else rows.facts(run, self.shed.frame))

    def on_table_counted(self, event: Table.Counted) -> None:
        self._read_sparks()

    def on_table_opened(self, event: Table.Opened) -> None:
        self.shed.open("run", str(event.row.id))

    def action_compare(self) -> None:
        from tui.screens.compare import Compare

        chosen = [run.id for run in self.table.chosen]
        if len(chosen) < 2:
            self.say("mark two runs or more with Space, then compare them", "warn")
        else:
            self.shed.push_screen(Compare(chosen, self.table.pinned))

    def action_pin(self) -> None:
        self.table.pin()

    def action_logs(self) -> None:
        if self.table.row is not None:
            from tui.screens.log import LogScreen

            self.shed.push_screen(LogScreen(str(self.table.row.id)))

    def action_cancel(self) -> None:
        run = self.table.row
        if run is not None:
            self.shed.propose(cancel_run(run))

    def action_retry(self) -> None:
        run = self.table.row
        if run is not None:
            self.shed.propose(retry_run(run))
