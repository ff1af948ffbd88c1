"""What the screens of alerts share: the keys that say that somebody knows of one, or that it is over."""

from __future__ import annotations

from collections.abc import Callable
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
        raise NotImplementedError

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only the keys that mean something of this alert as it stands."""
        alert = self.alert
        if action == "acknowledge" and (alert is None or alert.state != "open"):
            return False
        if action == "resolve" and (alert is None or alert.state == "resolved"):
            return False
        if action == "source" and (alert is None or not opens(alert)):
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

    def _plan(self, make: Callable[[AlertView, Frame], Proposal]) -> None:
        """Of the alert as it stands now, which may not be as it is on the screen."""
        if self.alert is not None:
            number, frame = self.alert.id, self.shed.frame
            self.ask(
                "propose",
                lambda daemon: daemon.alert(number).alert,
                lambda found: self.shed.propose(make(found, frame), self.read),
            )


def opens(alert: AlertView) -> tuple[str, ...]:
    """The words that open what found it; empty for what has no screen."""
    kind, _, name = alert.source.partition(":")
    return ("monitor", name) if kind == "monitor" and name else ()
