"""Overview: is anything wrong, and what do I press? Then what is live, what runs, what comes, and the box."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from textual import events
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from tui.failure import Failure
from tui.keybindings import bindings
from tui.pane import Pane
from tui.room import BOX_LINES, share
from tui.rows import box, needs, past, steady
from tui.rows import overview as rows
from tui.screens.base import ShedScreen, Subject
from tui.screens.section import Section
from tui.table import Table
from tui.text import line

if TYPE_CHECKING:
    from store.wire import (
        AliasView,
        BoxHistoryView,
        BoxView,
        ChangesView,
        EventView,
        Interval,
        MomentView,
        NeedView,
        RunView,
        ScheduleView,
        StatusView,
    )
    from tui.client import Client
    from tui.plan import Proposal

R = TypeVar("R")
_ACTIONS = frozenset({"retry", "cancel", "promote", "roll_back", "pause", "trigger", "acknowledge"})
_EVENTS = 60
_BARS = 2
_NO_BOX_THEN = [line(("  box     ", "dim"), (past.NOT_MEASURED, "dim"))]


class Overview(ShedScreen):
    BINDINGS: ClassVar[list[BindingType]] = bindings("overview")
    CSS_PATH = None  # all that it needs is in app.tcss
    TITLE_HERE = "Overview"
    AUTO_FOCUS = "#needs"

    def __init__(self) -> None:
        super().__init__()
        self.metrics: dict[tuple[str, int], tuple[str, Interval | None]] = {}
        self._status: StatusView | None = None
        self._box: BoxView | None = None
        self._history: BoxHistoryView | None = None
        self._box_lines = BOX_LINES
        self._asking_box = True

    def body(self) -> Iterable[Widget]:
        yield Horizontal(
            Vertical(
                Section(
                    needs.columns(),
                    lambda need: (need.subject, need.command),
                    empty="✔ nothing needs you",
                    fine="good",
                    first=True,
                    id="needs",
                ),
                Section(
                    rows.production_columns(self.metrics),
                    lambda alias: (alias.model, alias.alias),
                    empty="no version is in production yet: Models (3), P on a version",
                    id="production",
                ),
                Section(
                    rows.running_columns(),
                    lambda run: run.id,
                    empty="nothing runs: Jobs (7) lists what can",
                    id="running",
                ),
                Section(rows.next_columns(), lambda schedule: schedule.name, empty="nothing is scheduled", id="next"),
                Pane(id="box-figures"),
                id="main",
            ),
            Vertical(
                Section(rows.queue_columns(), lambda run: run.id, empty="nothing waits", id="queue"),
                Section(rows.event_columns(), lambda event: event.id, empty="nothing has happened yet", id="latest"),
                classes="side",
                id="beside",
            ),
        )

    # ---- what it shows -----------------------------------------------------------------------------------------------

    @property
    def row(self) -> Any:
        """What the cursor is on, in the list that has the focus."""
        return self.focused.row if isinstance(self.focused, Section) else None

    @property
    def subject(self) -> Subject | None:
        row = self.row
        return None if row is None else Subject(rows.name(row), rows.command(row), row)

    def on_mount(self) -> None:
        self._arrange()
        self.set_interval(box.every_seconds(lite=self.shed.settings.lite), self._read_box)

    def read(self) -> None:
        moment = self.shed.moment
        if moment is None:
            self.ask("status", lambda daemon: daemon.status(), self._show)
        else:
            self.ask("status", lambda daemon: daemon.moment(moment), self._show_then)
        self.ask("latest", lambda daemon: daemon.events(at=moment, limit=_EVENTS).items, self._show_events)
        self._read_box()

    def news(self, changes: ChangesView) -> None:
        """Progress is drawn in its place; anything else may concern every list."""
        if self._status is not None and rows.only_progress(changes, self._status):
            self.query_one("#running", Section).renew({run.id: run for run in changes.runs})
            return
        self.read()

    def _read_box(self) -> None:
        if not self.is_current or self.shed.held:
            return
        points, moment = box.chart_cells(self.query_one("#main").size.width), self.shed.moment
        self.ask(
            "box",
            lambda daemon: (daemon.box(), daemon.box_history(minutes=box.MINUTES, points=points, at=moment)),
            self._hear_box,
            refused=self._no_box,
        )

    def _show(self, status: StatusView) -> None:
        self._status = status
        self._fill(status.needs_you, status.production, status.running, status.next_schedules, status.waiting)
        self.tell_of_the_past("")

    def _show_then(self, then: MomentView) -> None:
        self._status = None
        live = [alias for alias in then.aliases if alias.alias == "production"]
        running, queue = ([past.run_then(run) for run in runs] for runs in (then.running, then.queued))
        self._fill(then.needs_you, live, running, then.next_schedules, queue)
        self.tell_of_the_past(past.removed(then.removed))

    def _fill(
        self,
        wanting: list[NeedView],
        production: list[AliasView],
        running: list[RunView],
        coming: list[ScheduleView],
        queue: list[RunView],
    ) -> None:
        shown: dict[str, list[Any]] = {
            "needs": wanting,
            "production": production,
            "running": running,
            "next": coming,
            "queue": queue,
        }
        for name, found in shown.items():
            self.query_one(f"#{name}", Section).show(found)
        for alias in production:
            self._read_metric(alias)
        self._arrange()
        self.refresh_bindings()

    def _show_events(self, found: list[EventView]) -> None:
        self.query_one("#latest", Section).show(found)

    def _hear_box(self, found: tuple[BoxView, BoxHistoryView]) -> None:
        now, history = found
        self._show_box((steady.box(self._box, now), history))

    def _no_box(self, _: Failure) -> None:
        """It is not measured yet, or not of this daemon: its place says so."""
        self._asking_box = False
        self._draw_box()

    def _show_box(self, found: tuple[BoxView, BoxHistoryView]) -> None:
        self._box, self._history = found
        self._draw_box()

    def _draw_box(self) -> None:
        pane = self.query_one("#box-figures", Pane)
        width = self.query_one("#main").size.width
        now = self._box
        if now is not None and self._history is not None and self.shed.moment is not None:
            now = past.box_then(now, self._history)
        lines = _NO_BOX_THEN
        if now is not None or self._box is None:
            lines = box.lines(now, self._history, width, asking=self._asking_box)
        pane.styles.height = self._box_lines = max(BOX_LINES, len(lines))
        pane.show(lines)
        self._arrange()

    def _read_metric(self, alias: AliasView) -> None:
        """A version never changes: asked for once."""
        model, version = alias.model, alias.version
        if (model, version) in self.metrics:
            return

        def show(metric: tuple[str, Interval | None]) -> None:
            self.metrics[model, version] = metric
            self.query_one("#production", Section).redraw()

        def put(daemon: Client) -> tuple[str, Interval | None]:
            found = daemon.version(model, version).version
            return found.objective, found.metrics.get(found.objective)

        self.ask(f"metric {model} {version}", put, show)

    # ---- room --------------------------------------------------------------------------------------------------------

    def on_resize(self, _: events.Resize) -> None:
        self.call_after_refresh(self._arrange)
        self.call_after_refresh(self._draw_box)

    def _arrange(self) -> None:
        """The lists get the lines that they need; what is left stands between them."""
        sections = [self.query_one(f"#{name}", Section) for name in ("needs", "production", "running", "next")]
        room = self.shed.size.height - _BARS - self._box_lines
        heights = share([section.wants for section in sections], room)
        gaps = max(0, room - sum(heights))
        for section, height in zip(sections, heights, strict=True):
            section.styles.height = height
            section.styles.margin = (0, 0, 1 if gaps > 0 else 0, 0)
            gaps -= 1
        queue = self.query_one("#queue", Section)
        queue.styles.height = min(queue.wants, 12)

    def on_table_counted(self, event: Table.Counted) -> None:
        self._arrange()

    def on_table_moved(self, event: Table.Moved) -> None:
        self.refresh_bindings()

    def on_descendant_focus(self, _: events.DescendantFocus) -> None:
        self.refresh_bindings()

    def refuse(self, failure: Failure) -> None:
        super().refuse(failure)
        if self._status is None:
            self.query_one("#needs", Section).failed(failure)

    # ---- keys --------------------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only the keys that mean something where the cursor is."""
        if action in _ACTIONS and action not in rows.acts(self.row):
            return False
        return super().check_action(action, parameters)

    def on_table_opened(self, event: Table.Opened) -> None:
        words = rows.target(event.row)
        match words:
            case (mode,):
                self.shed.go_to(mode)
            case (kind, *names):
                self.shed.open(kind, *names)
            case _:
                self.shed.go_to("system")

    def _propose(self, what: str, put: Callable[[Client], R], make: Callable[[R], Proposal]) -> None:
        self.ask(what, put, lambda found: self.shed.propose(make(found), self.read))

    def action_retry(self) -> None:
        number = rows.run_number(self.row)
        if number is not None:
            from tui.proposals.runs import retry_run

            self._propose("propose", lambda daemon: daemon.run(number).run, retry_run)

    def action_cancel(self) -> None:
        number = rows.run_number(self.row)
        if number is not None:
            from tui.proposals.runs import cancel_run

            self._propose("propose", lambda daemon: daemon.run(number).run, cancel_run)

    def action_pause(self) -> None:
        name = rows.schedule_name(self.row)
        if name is not None:
            from tui.screens.running import turn_a_schedule

            turn_a_schedule(self, name)

    def action_trigger(self) -> None:
        job = rows.job_name(self.row)
        if job is not None:
            from tui.screens.running import run_a_job

            run_a_job(self, job)

    def action_acknowledge(self) -> None:
        number = rows.alert_number(self.row)
        if number is not None:
            from tui.proposals.alerts import acknowledge

            frame = self.shed.frame
            self._propose(
                "propose", lambda daemon: daemon.alert(number).alert, lambda found: acknowledge([found], frame)
            )

    def action_promote(self) -> None:
        words = rows.target(self.row)
        if words[:1] == ("version",):
            from tui.proposals.models import propose_promotion

            propose_promotion(self.shed, words[1], int(words[2]))

    def action_roll_back(self) -> None:
        words = rows.target(self.row)
        if words[:1] == ("version",):
            from tui.proposals.models import propose_rollback

            propose_rollback(self.shed, words[1])
