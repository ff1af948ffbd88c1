"""System: the daemon, what it has started, what runs can take, its record and home, and the box over an hour."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.binding import BindingType
from textual.containers import Vertical
from textual.widget import Widget

from tui.keybindings import bindings
from tui.pane import Pane
from tui.proposals.runs import cancel_run
from tui.rows import box, past, steady
from tui.rows import system as rows
from tui.screens.base import ShedScreen, Subject
from tui.screens.section import Section
from tui.table import Table
from tui.text import Lines, line

if TYPE_CHECKING:
    from store.wire import BoxHistoryView, BoxView, ChangesView, ProcessView, SystemView
    from tui.failure import Failure


class System(ShedScreen):
    BINDINGS: ClassVar[list[BindingType]] = bindings("system")
    TITLE_HERE = "System"
    AUTO_FOCUS = "#processes"

    def __init__(self) -> None:
        super().__init__()
        self._system: SystemView | None = None
        self._box: BoxView | None = None
        self._asking_box = True
        self._history: BoxHistoryView | None = None

    def body(self) -> Iterable[Widget]:
        yield Vertical(
            Pane(id="charts"),
            Pane(id="machine"),
            Section(
                rows.process_columns(),
                lambda process: process.pid,
                empty="no process of ours is known",
                first=True,
                id="processes",
            ),
            Section(rows.device_columns(), lambda device: device.name, empty="nothing to take", id="devices"),
        )

    @property
    def process(self) -> ProcessView | None:
        table = self.query_one("#processes", Section)
        return table.row if table.has_focus else None

    @property
    def subject(self) -> Subject | None:
        process = self.process
        if process is None or process.run is None:
            return Subject("daemon", "trainshed system show")
        return Subject(f"run {process.run}", f"trainshed runs show {process.run}", process)

    def on_mount(self) -> None:
        self.set_interval(box.every_seconds(lite=self.shed.settings.lite), self._read_now_and_then)

    def read(self) -> None:
        self.tell_of_the_past(past.SYSTEM)
        if self.shed.moment is not None:
            self._fill("#machine", [])
            for section in self.query(Section):
                section.show([])
            self._read_box()
            return
        self.ask("system", lambda daemon: daemon.system(), self._hear)
        self._read_box()

    def news(self, changes: ChangesView) -> None:
        """Processes come and go with states; figures are read now and then."""
        if any(run.state != "running" or run.done is None for run in changes.runs):
            self.ask("system", lambda daemon: daemon.system(), self._hear)

    def _read_now_and_then(self) -> None:
        if self.is_current and self.shed.moment is None and not self.shed.held:
            self.read()

    def _read_box(self) -> None:
        points, moment = rows.chart_points(self.size.width), self.shed.moment
        self.ask(
            "box",
            lambda daemon: (daemon.box(), daemon.box_history(minutes=box.MINUTES, points=points, at=moment)),
            self._hear_box,
            refused=self._not_measured,
        )

    def _hear(self, found: SystemView) -> None:
        self._show(steady.system(self._system, found))

    def _show(self, found: SystemView) -> None:
        self._system = found
        self._fill("#machine", rows.facts(found, self.shed.frame))
        self.query_one("#processes", Section).show(found.processes)
        self.query_one("#devices", Section).show(rows.devices(found.devices))
        self.refresh_bindings()

    def _hear_box(self, found: tuple[BoxView, BoxHistoryView]) -> None:
        now, history = found
        self._show_box((steady.box(self._box, now), history))

    def _show_box(self, found: tuple[BoxView, BoxHistoryView]) -> None:
        self._box, self._history = found
        self._draw_box()

    def _not_measured(self, _: Failure) -> None:
        self._asking_box = False
        self._draw_box()

    def _draw_box(self) -> None:
        now, history = self._box, self._history
        if now is not None and history is not None and self.shed.moment is not None:
            now = past.box_then(now, history)
            if now is None:
                self._fill("#charts", [line(("  the box  ", "dim"), (past.NOT_MEASURED, "dim"))])
                return
        self._fill("#charts", rows.charts(now, history, self.size.width, asking=self._asking_box))

    def _fill(self, where: str, lines: Lines) -> None:
        """As high as its lines."""
        pane = self.query_one(where, Pane)
        pane.styles.height = len(lines)
        pane.show(lines)

    def on_resize(self, _: events.Resize) -> None:
        self.call_after_refresh(self._draw_box)

    def on_table_counted(self, _: Table.Counted) -> None:
        devices = self.query_one("#devices", Section)
        devices.styles.height = min(devices.wants, max(2, self.size.height // 4))

    def on_table_moved(self, _: Table.Moved) -> None:
        self.refresh_bindings()

    def on_table_opened(self, event: Table.Opened) -> None:
        run = getattr(event.row, "run", None)
        if run is not None:
            self.shed.open("run", str(run))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only a run can be stopped from here."""
        if action == "cancel" and (self.process is None or self.process.run is None):
            return False
        return super().check_action(action, parameters)

    def action_cancel(self) -> None:
        if self.process is not None and self.process.run is not None:
            number = self.process.run
            self.ask(
                "propose",
                lambda daemon: daemon.run(number).run,
                lambda run: self.shed.propose(cancel_run(run), self.read),
            )

    def action_doctor(self) -> None:
        from tui.screens.doctor import DoctorScreen

        self.shed.push_screen(DoctorScreen())
