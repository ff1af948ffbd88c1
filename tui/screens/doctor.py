"""What the doctor finds: everything that the work depends on, the worst first, each with its remedy."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from textual.containers import Vertical
from textual.widget import Widget

from tui.pane import Pane
from tui.rows import system as rows
from tui.rows.past import DOCTOR
from tui.screens.base import ShedScreen, Subject
from tui.screens.section import Section
from tui.table import Table

if TYPE_CHECKING:
    from store.wire import ChangesView, DoctorView


class DoctorScreen(ShedScreen):
    TITLE_HERE = "doctor"

    @property
    def subject(self) -> Subject | None:
        found = self.query_one(Section).row
        return None if found is None else Subject(f"{found.about}: {found.fact}", "trainshed doctor", found)

    def body(self) -> Iterable[Widget]:
        yield Vertical(
            Section(
                rows.finding_columns(),
                lambda found: (found.about, found.fact),
                empty="the doctor looked at nothing",
                first=True,
                id="findings",
            ),
            Pane(id="finding"),
        )

    def read(self) -> None:
        self.tell_of_the_past(DOCTOR)
        self.ask("doctor", lambda daemon: daemon.doctor(), self._show)

    def news(self, changes: ChangesView) -> None:
        """It looks when it is asked: r looks again."""

    def relink(self) -> None:
        self.ask("doctor", lambda daemon: daemon.doctor(fresh=True), self._show)

    def _show(self, found: DoctorView) -> None:
        self.query_one(Section).show(rows.worst_first(found.findings))
        bad = sum(one.verdict != "ok" for one in found.findings)
        words = f"{bad} of {len(found.findings)} want a look" if bad else "everything is as it should be"
        words = f"{words}, seen at {found.at.astimezone(self.shed.frame.zone):%H:%M:%S}; r looks again"
        self.say(words if self.shed.moment is None else f"{DOCTOR}: {words}")

    def on_table_moved(self, event: Table.Moved) -> None:
        self.query_one(Pane).show([] if event.row is None else rows.finding(event.row))
