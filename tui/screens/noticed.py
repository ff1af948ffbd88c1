"""What the screens of alerts share: the keys that say that somebody knows of one, or that it is over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType

from tui.keybindings import bindings
from tui.proposals.alerts import acknowledge, resolve
from tui.screens.base import ShedScreen

if TYPE_CHECKING:
    from store.wire import AlertView
    from tui.plan import Proposal
    from tui.table.column import Frame


class Noticed(ShedScreen):
    """Subclasses say which alert the keys mean."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("alerts")

    @property
    def alert(self) -> AlertView | None:
        """The one that is looked at."""
        raise NotImplementedError

    @property
    def alerts(self) -> Sequence[AlertView]:
        """Those that the keys change: the one that is looked at, if it is not those that are marked."""
        return [] if self.alert is None else [self.alert]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only the keys that mean something of these alerts as they stand."""
        if action == "acknowledge" and all(alert.state != "open" for alert in self.alerts):
            return False
        if action == "resolve" and all(alert.state == "resolved" for alert in self.alerts):
            return False
        if action == "source" and (self.alert is None or not opens(self.alert)):
            return False
        return super().check_action(action, parameters)

    def action_acknowledge(self) -> None:
        self._plan(acknowledge)

    def action_resolve(self) -> None:
        self._plan(resolve)

    def action_source(self) -> None:
        """What found it: its monitor, or the run that it is about."""
        if self.alert is not None:
            self.shed.open(*opens(self.alert))

    def done(self) -> None:
        """What was planned has happened."""
        self.read()

    def _plan(self, make: Callable[[Sequence[AlertView], Frame], Proposal]) -> None:
        """Of the alerts as they stand now, which may not be as they are on the screen."""
        numbers, frame = [alert.id for alert in self.alerts], self.shed.frame
        if numbers:
            self.ask(
                "propose",
                lambda daemon: [daemon.alert(number).alert for number in numbers],
                lambda found: self.shed.propose(make(found, frame), self.done),
            )


def opens(alert: AlertView) -> tuple[str, ...]:
    """The words that open what found it; empty for what has no screen."""
    kind, _, name = alert.source.partition(":")
    return ("monitor", name) if kind == "monitor" and name else ()
