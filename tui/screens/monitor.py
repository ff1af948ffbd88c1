"""One monitor: its columns, and of the one under the cursor a measure over time, its distribution, and why it alarmed;
how good the answers are with labels and without, by slices; what each look found, and what its rule made of that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import BindingType
from textual.containers import Container, Vertical
from textual.widget import Widget
from textual.widgets import Static

from tui.charts.widget import Curves
from tui.fitted import Fitted
from tui.keybindings import bindings
from tui.pane import Pane
from tui.panes import Page, Panes
from tui.records.monitors import monitor_at, windows_at
from tui.rows import heat, verdicts, watched
from tui.rows import monitors as rows
from tui.screens.base import Subject
from tui.screens.measures import MeasureBox
from tui.screens.shapes import Shapes
from tui.screens.watching import Watching
from tui.table import ListSource, Table
from tui.text import Lines, content, line

if TYPE_CHECKING:
    from store.wire import DriftReportView, HeatColumn, MonitorView, WatchWindowView
    from tui.failure import Failure
    from tui.records.monitors import Watched

_SHAPE: Final = "distribution"
_WIDE: Final = 160


class MonitorScreen(Watching):
    BINDINGS: ClassVar[list[BindingType]] = bindings("panes")
    AUTO_FOCUS = "#columns"

    def __init__(self, name: str, column: str = "") -> None:
        super().__init__()
        self.monitor_name = name
        self._wanted = column
        self._watched: Watched | None = None
        self._windows: Sequence[WatchWindowView] = ()
        self._chosen: tuple[int, datetime] | None = None
        """Version and start of the window that is looked at; None: the newest, whichever that is."""
        self.shapes = Shapes(self, name)
        self._measure: str | None = None
        self._span = watched.SPANS[0]

    # ---- what it says of itself --------------------------------------------------------------------------------------

    @property
    def crumbs(self) -> Sequence[str]:
        return [*list(super().crumbs)[:-1], self.monitor_name]

    @property
    def monitor(self) -> MonitorView | None:
        return None if self._watched is None else self._watched.monitor

    @property
    def last_run(self) -> int | None:
        return None if self._watched is None else self._watched.heat.run

    @property
    def column(self) -> HeatColumn | None:
        """Under the cursor."""
        return self.table.row if self.is_mounted else None

    @property
    def place(self) -> int:
        """Of the window that is looked at; -1 while there is none."""
        last = len(self._windows) - 1
        found = (number for number, one in enumerate(self._windows) if (one.version, one.start) == self._chosen)
        return last if self._chosen is None else next(found, last)

    @property
    def explanation(self) -> Lines:
        return [] if self.column is None else rows.column_sentence(self.column)

    @property
    def subject(self) -> Subject:
        command, column = f"trainshed monitors show {self.monitor_name}", self.column
        if column is not None and self.focused is self.table:
            return Subject(column.name, f"{command} --column {column.name}", column)
        return Subject(f"monitor {self.monitor_name}", command, self.monitor)

    def body(self) -> Iterable[Widget]:
        columns, told = rows.column_columns(), verdicts.report_columns()
        reports: Table[DriftReportView] = Table(
            told,
            ListSource(told, lambda report: report.id, lambda: self.shed.frame, waiting=True),
            empty="no look has made a report yet: T looks now",
            faults=rows.FAULTS,
            id="reports",
        )
        table: Table[HeatColumn] = Table(
            columns,
            ListSource(columns, lambda column: (column.subject, column.name), lambda: self.shed.frame, waiting=True),
            empty="no window is full yet: the first one is told once its time has passed",
            faults=rows.FAULTS,
            id="columns",
        )
        panes: dict[str, Widget] = {
            "over time": Vertical(
                Curves(empty="asking for its windows", id="measure"), Fitted(id="shape-beside"), Pane(id="column-why")
            ),
            _SHAPE: Fitted(),
            "accuracy": Vertical(
                Curves(empty="asking for its windows", choice=False, id="accuracy"), Pane(id="accuracy-lines")
            ),
            "slices": Page(),
            "service": Page(),
            "findings": Page(),
            "reports": reports,
        }
        yield Static("", id="monitor-head")
        with Container(id="monitor-body"):
            with Vertical(id="monitor-columns"):
                yield table
                yield Static(content([heat.legend()]), id="heat-legend")
            yield Panes(panes)

    @property
    def table(self) -> Table[HeatColumn]:
        return self.query_one("#columns", Table)

    @property
    def panes(self) -> Panes:
        return self.query_one(Panes)

    # ---- reading -----------------------------------------------------------------------------------------------------

    def read(self) -> None:
        name, moment = self.monitor_name, self.shed.moment
        self.tell_of_the_past(rows.THEN)
        self.ask("monitor", lambda daemon: monitor_at(daemon, name, moment), self.show, self._failed)
        self._read_windows()

    def _read_windows(self) -> None:
        name, moment, count = self.monitor_name, self.shed.moment, self._span
        column = self.column.name if self.column is not None else self._wanted or "$"  # no column has this name
        self.ask(
            "windows",
            lambda daemon: windows_at(daemon, name, column, count, moment),
            self.show_windows,
            self._no_windows,
        )

    def _read_shape(self) -> None:
        """Only where it is looked at: profiles are read by a process of its own."""
        if self.column is not None and self._windows and self._shows_shape():
            # Its own, and the one under the measure, of which one is seen.
            places = self.panes.pane(_SHAPE, Fitted), self.query_one("#shape-beside", Fitted)
            self.shapes.look_at(self.column.name, self._windows[self.place], places)

    def _shows_shape(self) -> bool:
        here = self.panes.here
        return here == _SHAPE or (here == "over time" and self._beside())

    def _beside(self) -> bool:
        """Whether there is room for it under the measure."""
        return self.shed.size.width >= _WIDE

    # ---- showing -----------------------------------------------------------------------------------------------------

    def show(self, found: Watched) -> None:
        self._watched, frame = found, self.shed.frame
        self.query_one("#monitor-head", Static).update(content(rows.head(found.monitor, found.heat, frame)))
        self.table.show(found.heat.columns)
        self._go_to_the_wanted(found.heat.columns)
        report = found.reports[0] if found.reports else None
        self.panes.pane("findings", Page).show(
            [*verdicts.verdict(report, frame), line(), *rows.known(found.monitor, found.heat, frame)]
        )
        self.query_one("#reports", Table).show(found.reports)
        self._draw_windows()
        self.refresh_bindings()

    def _go_to_the_wanted(self, columns: Sequence[HeatColumn]) -> None:
        """The column that it was opened for, once."""
        place = next((number for number, one in enumerate(columns) if one.name == self._wanted), None)
        if self._wanted and place is not None:
            self.table._go(place)
        self._wanted = ""

    def show_windows(self, windows: Sequence[WatchWindowView]) -> None:
        self._windows = windows
        self._draw_windows()
        self._read_shape()

    def _draw_windows(self) -> None:
        """The measure, and how good the answers were, as far as both answers are here."""
        frame, windows, column = self.shed.frame, self._windows, self.column
        seen = windows[: self.place + 1]
        since = watched.midnight(windows, frame)
        marks = watched.promotions(self._watched.moves if self._watched is not None else [], windows, since)
        over, good = self.query_one("#measure", Curves), self.query_one("#accuracy", Curves)
        for curves in (over, good):
            curves.along_the_days(since, *marks)
            if self._chosen is not None and windows:
                curves.cross_at((windows[self.place].end - since).total_seconds())
        drawn = [] if column is None else watched.measure_curves(column, self._measure_of(column), windows, since)
        over.show(drawn, empty="no window is full yet")
        metric = self._metric()
        good.show(watched.accuracy_curves(metric, windows, since), empty="nothing is known of how good the answers are")
        self.query_one("#column-why", Pane).show([] if column is None else rows.column_sentence(column))
        self.query_one("#accuracy-lines", Pane).show(watched.accuracy_lines(metric, seen, frame))
        self.panes.pane("slices", Page).show(watched.slices(metric, seen, frame))
        self.panes.pane("service", Page).show(watched.service_lines(seen, frame))

    def _metric(self) -> str:
        """The one that decides, else the first that windows tell."""
        found = self._watched.heat if self._watched is not None else None
        decides = None if found is None else found.measured or found.estimated
        return decides.metric if decides is not None else next(iter(watched.metrics_of(self._windows)), "")

    def _measure_of(self, column: HeatColumn) -> str:
        """The one that was chosen, where the column has it; else the one that decides."""
        offered = [name for name, _ in watched.offered(column.name, self._windows)]
        if self._measure in offered:
            return self._measure
        return column.measure or next(iter(offered), "psi")

    def _failed(self, failure: Failure) -> None:
        self.table.failed(failure)
        if self._watched is None:
            excuse = [line((f"✘ {failure.what}", "bad")), line(f"→ {failure.remedy}")]
            self.panes.pane("findings", Page).show(excuse)
            self.query_one("#reports", Table).failed(failure)
        self.refuse(failure)

    def _no_windows(self, failure: Failure) -> None:
        for curves in self.query(Curves):
            curves.show([], empty=failure.what)
        self.refuse(failure)

    # ---- room and focus ----------------------------------------------------------------------------------------------

    def on_resize(self) -> None:
        self.panes.set_aside(frozenset({_SHAPE}) if self._beside() else frozenset(), focus=False)
        self.call_after_refresh(self._read_shape)

    def on_table_moved(self, event: Table.Moved) -> None:
        if event.table is self.table and self._watched is not None:
            self._draw_windows()
            self._read_windows()
            self.refresh_bindings()

    def on_table_opened(self, event: Table.Opened) -> None:
        if event.table is self.table:
            self.panes.focus_here()
        else:
            self.shed.open("run", str(event.row.run))

    def let_go(self) -> bool:
        """From a pane back to the columns."""
        if self.focused is None or self.focused is self.table:
            return False
        self.table.focus()
        return True

    # ---- keys --------------------------------------------------------------------------------------------------------

    def action_next_pane(self) -> None:
        self._turn(1)

    def action_last_pane(self) -> None:
        self._turn(-1)

    def _turn(self, step: int) -> None:
        """The cursor stays with the columns, if it is there."""
        self.panes.turn(step, focus=self.focused is not self.table)
        self.call_after_refresh(self._read_shape)

    def action_measure(self) -> None:
        column = self.column
        if column is not None:
            self.shed.open_box(MeasureBox(column.name, watched.offered(column.name, self._windows), self._draw_measure))

    def on_curves_asked(self) -> None:
        self.action_measure()

    def _draw_measure(self, measure: str) -> None:
        self._measure = measure
        self.panes.go("over time", focus=False)
        self._draw_windows()

    def action_window(self) -> None:
        self._span = watched.SPANS[(watched.SPANS.index(self._span) + 1) % len(watched.SPANS)]
        self.say(f"the last {self._span} windows")
        self._read_windows()

    def action_older(self) -> None:
        self._walk(-1)

    def action_newer(self) -> None:
        self._walk(1)

    def _walk(self, step: int) -> None:
        """To another window: what is said is of that one, and the crosshair of the charts stands there."""
        place = self.place + step
        if not 0 <= place < len(self._windows):
            older = "h looks further back" if len(self._windows) >= self._span else "there is no older window"
            self.say("there is no newer window yet" if step > 0 else older, "warn")
            return
        window = self._windows[place]
        self._chosen = (window.version, window.start) if place < len(self._windows) - 1 else None
        for curves in self.query(Curves):
            curves.cross_at(None)
        self.say(watched.named(self._windows, place, self.shed.frame))
        self._draw_windows()
        self._read_shape()
