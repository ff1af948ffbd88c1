"""`?`: what is possible here, to be chosen and run; and `@`: the shell commands of what was done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, cast

from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from tui.table import Cell, Column, ListSource, Table

if TYPE_CHECKING:
    from tui.app import ShedApp


class _Choice(NamedTuple):
    key: str
    label: str
    help: str
    entry: ActiveBinding


class Box(ModalScreen[None]):
    """A list over the screen."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,backspace", "dismiss", "close")]
    heading = ""

    def compose(self) -> ComposeResult:
        with Vertical(id="box"):
            yield Static(self.heading, id="box-title")
            yield self.table()

    def table(self) -> Table[Any]:
        raise NotImplementedError

    @property
    def shed(self) -> ShedApp:
        return cast("ShedApp", self.app)


class ActionMenu(Box):
    """Every binding that works on a screen; Enter runs one."""

    heading = "What is possible here — Enter does it, / finds it"

    def __init__(self, over: Screen[Any]) -> None:
        super().__init__()
        self._choices = [
            _Choice(over.app.get_key_display(entry.binding), entry.binding.description, entry.binding.tooltip, entry)
            for entry in _once(over.active_bindings.values())
        ]

    def table(self) -> Table[Any]:
        columns: list[Column[_Choice]] = [
            Column(key="key", title="key", width=10, draw=lambda c, _: Cell(c.key, "key")),
            Column(key="label", title="action", width=14, draw=lambda c, _: Cell(c.label, "strong")),
            Column(key="help", title="", width=30, grows=True, draw=lambda c, _: Cell(c.help)),
        ]
        source = ListSource(columns, lambda choice: choice.label, lambda: self.shed.frame, self._choices)
        return Table(columns, source, empty="no key works here")

    def on_table_opened(self, event: Table.Opened) -> None:
        choice: _Choice = event.row
        self.dismiss()
        self.shed.run_binding(choice.entry.binding.action, choice.entry.node)


class CommandLog(Box):
    """The equivalent of what was done here, newest first; Enter copies one."""

    heading = "Shell commands of what was done here — Enter copies"

    def __init__(self, done: Sequence[tuple[datetime, str]]) -> None:
        super().__init__()
        self._done = list(reversed(done))

    def table(self) -> Table[Any]:
        columns: list[Column[tuple[datetime, str]]] = [
            Column(key="at", title="at", width=8, draw=lambda r, f: Cell(f"{r[0].astimezone(f.zone):%H:%M:%S}", "dim")),
            Column(key="command", title="command", width=40, grows=True, draw=lambda r, _: Cell(r[1])),
        ]
        source = ListSource(columns, lambda row: row, lambda: self.shed.frame, self._done)
        return Table(
            columns, source, empty="nothing was done here yet; what changes something appears here as a command"
        )

    def on_table_opened(self, event: Table.Opened) -> None:
        self.dismiss()
        self.shed.copy(event.row[1], "the command")


def _once(entries: Any) -> list[ActiveBinding]:
    """One entry an action, the first of its keys, and only those that a person can be told about."""
    seen: dict[str, ActiveBinding] = {}
    for entry in entries:
        if entry.enabled and entry.binding.tooltip:
            seen.setdefault(entry.binding.action, entry)
    return list(seen.values())
