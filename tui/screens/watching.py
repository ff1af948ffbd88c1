"""What the screens of monitors share: the keys that have one look, and that lead to what is behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType

from tui.keybindings import bindings
from tui.rows.words import clock
from tui.screens.base import ShedScreen
from tui.screens.running import run_a_job, turn_a_schedule

if TYPE_CHECKING:
    from store.wire import BacktestView, ChangesView, MonitorView


class Watching(ShedScreen):
    """Subclasses say which monitor the keys mean."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("drift")

    @property
    def monitor(self) -> MonitorView | None:
        raise NotImplementedError

    @property
    def last_run(self) -> int | None:
        """That made the last report."""
        return None if self.monitor is None else self.monitor.run

    def news(self, changes: ChangesView) -> None:
        """A report, or windows that labels restated; a schedule that was paused; a version that went live."""
        if changes.monitors or changes.schedules or changes.models:
            self.read()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only the keys that mean something of this monitor."""
        monitor = self.monitor
        missing = {
            "trigger": monitor is None,
            "pause": monitor is None or monitor.schedule is None,
            "its_run": self.last_run is None,
            "its_version": monitor is None or (monitor.dataset is None and not monitor.version),
            "its_alerts": monitor is None,
            "backtest": monitor is None,
        }
        if missing.get(action, False):
            return False
        return super().check_action(action, parameters)

    def action_trigger(self) -> None:
        if self.monitor is not None:
            run_a_job(self, self.monitor.job)

    def action_pause(self) -> None:
        if self.monitor is not None and self.monitor.schedule is not None:
            turn_a_schedule(self, self.monitor.schedule)

    def action_its_run(self) -> None:
        if self.last_run is not None:
            self.shed.open("run", str(self.last_run))

    def action_its_version(self) -> None:
        """The dataset, where that is what is watched."""
        monitor = self.monitor
        if monitor is not None and monitor.dataset is not None:
            self.shed.open("dataset", monitor.dataset)
        elif monitor is not None and monitor.model is not None and monitor.version:
            self.shed.open("version", monitor.model, str(monitor.version))

    def action_its_alerts(self) -> None:
        if self.monitor is not None:
            self.shed.obey(f'alerts "source=monitor:{self.monitor.name}"')

    def action_backtest(self) -> None:
        """Asks for it; the answer stands on the screen."""
        if self.monitor is not None:
            name = self.monitor.name
            self.say("… going through the windows that are stored")
            self.ask("backtest", lambda daemon: daemon.backtest(name), self._replayed)

    def _replayed(self, found: BacktestView) -> None:
        frame = self.shed.frame
        alarms = "".join(f"; {clock(one.at, frame)} {', '.join(one.columns)}" for one in found.alarms[-3:])
        self.say(f"{found.monitor}, as it is set now: {found.sentence}{alarms}", "warn" if found.alarms else "good")
