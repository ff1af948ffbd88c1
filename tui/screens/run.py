"""One run: curves that grow while it trains, what it uses of the machine, and everything known of it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Static

from tui.charts.series import Curve
from tui.charts.widget import Curves, named
from tui.keybindings import bindings
from tui.pane import Pane
from tui.proposals.runs import cancel_run, retry_run
from tui.rows import past
from tui.rows import run as rows
from tui.screens.base import Subject
from tui.screens.paned import Paned
from tui.table import ListSource, Table
from tui.text import Lines, content

if TYPE_CHECKING:
    from datetime import datetime

    from store.wire import ChangesView, EventView, MetricSeries, ResourcePoint, RunDetail, RunView
    from tui.client import Client
    from tui.failure import Failure

_POINTS: Final = 4_000
"""Of a curve: enough for the widest screen, with its peaks."""
_DETAIL_SECONDS: Final = 2.0
"""Between two readings of everything, while only the progress of a run is news."""


class RunScreen(Paned):
    PAGES = ("curves", "about", "usage", "happened")
    INSIDE = "#cpu"
    BINDINGS: ClassVar[list[BindingType]] = bindings("run")
    AUTO_FOCUS = ""

    def __init__(self, run: str) -> None:
        super().__init__()
        self.run_id = int(run)
        self.detail: RunDetail | None = None
        self.run_now: RunView | None = None
        self.chosen: list[str] = []
        self._curves: dict[str, Curve] = {}
        self._attempt = 0
        self._moment: datetime | None = None
        self._read_at = 0.0
        self._said: dict[str, Lines] = {}

    @property
    def TITLE_HERE(self) -> str:  # type: ignore[override]  # a name that is known from the start
        return f"Run {self.run_id}"

    @property
    def subject(self) -> Subject | None:
        return Subject(f"run {self.run_id}", f"trainshed runs show {self.run_id}", self.detail)

    def body(self) -> Iterable[Widget]:
        columns = rows.event_columns()
        happened: Table[EventView] = Table(
            columns,
            ListSource(columns, lambda event: event.id, lambda: self.shed.frame),
            empty="nothing has happened to it yet",
            id="happened",
        )
        happened.add_class("run-page")
        yield Static("", id="run-head")
        yield Static("", id="run-pages")
        with Horizontal():
            with Vertical(id="run-left", classes="run-column"):
                curves = Curves(empty="asking for its curves", id="curves")
                curves.add_class("run-page")
                yield curves
                with Horizontal(id="usage", classes="run-page"):
                    yield Curves(empty="asking what it uses", choice=False, id="cpu")
                    yield Curves(empty="", choice=False, id="memory")
            with Vertical(id="run-right", classes="run-column"):
                yield Pane(id="about", classes="run-page", focusable=True)
                yield happened

    # ---- reading -----------------------------------------------------------------------------------------------------

    def read(self) -> None:
        self._read_at = time.monotonic()
        moment = self.shed.moment
        if moment != self._moment:
            self._moment = moment
            self._curves.clear()
        self.ask("detail", lambda daemon: daemon.run(self.run_id, at=moment), self._show, self._refused)
        self.ask("resources", lambda daemon: daemon.resources(self.run_id, at=moment), self._show_usage)
        self._read_curves()

    def news(self, changes: ChangesView) -> None:
        """Progress renews the head and lengthens the curves; everything is read again when more has happened."""
        name = f"run {self.run_id}"
        mine = next((run for run in changes.runs if run.id == self.run_id), None)
        happened = any(event.subject == name or event.actor == name for event in changes.events)
        if mine is None and not happened:
            return
        if happened or time.monotonic() - self._read_at >= _DETAIL_SECONDS:
            self.read()
        elif mine is not None:
            self._head(mine)
            self._read_curves()

    def _read_curves(self) -> None:
        """What is new of each chosen curve; the whole of it when an attempt has begun anew."""
        wanted = [(name, self._curves[name].last_step if name in self._curves else None) for name in self.chosen]
        moment = self._moment
        if wanted:
            self.ask("curves", lambda daemon: _curves(daemon, self.run_id, wanted, moment), self._grow)

    # ---- showing -----------------------------------------------------------------------------------------------------

    def _show(self, detail: RunDetail) -> None:
        self.detail = detail
        self.tell_of_the_past(past.RUN if detail.run.ended_at is None else "")
        self._head(detail.run)
        self.query_one("#about", Pane).show(rows.facts(detail, self.shed.frame))
        self.query_one("#happened", Table).show(list(detail.events))
        names = [metric.name for metric in detail.metrics]
        if not self.chosen:
            self._choose(first_choice(names))
        if not names:
            ended = detail.run.ended_at is not None
            self.query_one("#curves", Curves).show([], empty="it reported no metric" if ended else "no metric yet")
            if ended and self.page == "curves":
                self._open("about")

    def _refused(self, failure: Failure) -> None:
        self.refuse(failure)
        if self.detail is None or self._moment is not None:  # nobody had asked for it yet
            self.detail = self.run_now = None
            self.query_one("#curves", Curves).show([], empty=failure.what)
            self._tell("run-head", [])
            self.query_one("#about", Pane).show([])
            self.query_one("#happened", Table).show([])

    def _head(self, run: RunView) -> None:
        self.run_now = run
        if run.attempt != self._attempt:
            self._attempt = run.attempt
            self._curves.clear()
            self._read_curves()
        self._tell("run-head", rows.head(run, self.shed.frame))

    def _choose(self, names: Sequence[str]) -> None:
        self.chosen = list(names)
        self._read_curves()

    def _grow(self, found: list[MetricSeries]) -> None:
        run = self.run_now
        for series in found:
            curve = self._curves.setdefault(series.name, Curve(named(series.name)))
            for point in series.points:
                began = run.started_at if run is not None and run.started_at is not None else point.at
                curve.add(point.step, (point.at - began).total_seconds(), point.value)
        until = run.total if run is not None and run.ended_at is None and run.unit == "steps" else None
        self.query_one("#curves", Curves).show([self._curves[n] for n in self.chosen if n in self._curves], until=until)

    def _show_usage(self, points: Sequence[ResourcePoint]) -> None:
        """CPU beside memory: they have no common scale."""
        cpu, rss, gpu = Curve("CPU %"), Curve("memory MB"), Curve("GPU memory MB")
        for number, point in enumerate(points):
            seconds = (point.at - points[0].at).total_seconds()
            cpu.add(number, seconds, point.cpu_percent)
            rss.add(number, seconds, point.rss / 1e6)
            if point.gpu_memory is not None:
                gpu.add(number, seconds, point.gpu_memory / 1e6)
        memory = [rss, gpu] if gpu.steps else [rss]
        for id, curves, empty in (("cpu", [cpu], rows.UNMEASURED), ("memory", memory, "")):
            widget = self.query_one(f"#{id}", Curves)
            widget.along_time()
            widget.show(curves if points else [], empty=empty)

    def _tell(self, id: str, lines: Lines) -> None:
        """Only what differs is drawn again."""
        if self._said.get(id) != lines:
            self._said[id] = lines
            self.query_one(f"#{id}", Static).update(content(lines))

    # ---- keys --------------------------------------------------------------------------------------------------------

    def on_curves_asked(self, event: Curves.Asked) -> None:
        from tui.screens.series import SeriesBox

        if self.detail is not None and event.curves.id == "curves":
            self.shed.open_box(SeriesBox(self.detail.metrics, self.chosen, self._choose))

    def on_table_opened(self, event: Table.Opened) -> None:
        self.say(event.row.message)

    def action_logs(self) -> None:
        from tui.screens.log import LogScreen

        self.shed.push_screen(LogScreen(str(self.run_id)))

    def action_lineage(self) -> None:
        from tui.screens.lineage import LineageBox

        if self.detail is not None:
            self.shed.open_box(LineageBox(self.detail))

    def action_cancel(self) -> None:
        if self.run_now is not None:
            self.shed.propose(cancel_run(self.run_now), self.read)

    def action_retry(self) -> None:
        if self.run_now is not None:
            self.shed.propose(retry_run(self.run_now), self.read)


def first_choice(names: Sequence[str]) -> list[str]:
    """What is drawn before anybody has chosen: the objective."""
    objective = rows.objective_of(names) or next(iter(names), None)
    return [objective] if objective is not None else []


def _curves(
    daemon: Client, run: int, wanted: Sequence[tuple[str, int | None]], moment: datetime | None
) -> list[MetricSeries]:
    """Called in a thread."""
    return [daemon.metric(run, name, points=_POINTS, since_step=since, at=moment) for name, since in wanted]
