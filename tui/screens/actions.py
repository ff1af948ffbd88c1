"""`?`: what is possible here, to be chosen and run; and `@`: the shell commands of what was done."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, ClassVar, NamedTuple

from textual.app import App, ComposeResult
from textual.binding import ActiveBinding, Binding, BindingType
from textual.screen import Screen
from textual.widgets import Static

from tui.box import Box
from tui.keys import ACTIONS
from tui.screens.base import ShedScreen
from tui.table import Cell, Column, ListSource, Table
from tui.text import Lines, content


class _Choice(NamedTuple):
    key: str
    label: str
    help: str
    entry: ActiveBinding


class ListBox(Box[None]):
    """A list over the screen."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("q,backspace", "leave", "close", show=False)]
    heading = ""
    explanation: Lines = ()
    """What is said of the screen below, over the list."""

    def __init__(self) -> None:
        super().__init__(classes="-list")

    def compose(self) -> ComposeResult:
        yield Static(self.heading, classes="box-title")
        if self.explanation:
            yield Static(content(self.explanation), classes="box-why")
        yield self.table()

    def table(self) -> Table[Any]:
        raise NotImplementedError

    def on_table_moved(self, event: Table.Moved) -> None:
        event.stop()  # the screen below has a table of its own

    def on_table_counted(self, event: Table.Counted) -> None:
        event.stop()


class ActionMenu(ListBox):
    """Every binding that works on a screen; Enter runs one."""

    heading = "What is possible here — Enter does it, / finds it"

    def __init__(self, over: Screen[Any]) -> None:
        super().__init__()
        self.explanation = over.explanation if isinstance(over, ShedScreen) else ()
        self._choices = [_choice(over.app, entries) for entries in _by_action(over.active_bindings.values())]

    def table(self) -> Table[Any]:
        columns: list[Column[_Choice]] = [
            Column(key="key", title="key", width=10, draw=lambda c, _: Cell(c.key, "key")),
            Column(key="label", title="action", width=14, draw=lambda c, _: Cell(c.label, "strong")),
            Column(key="help", title="", width=30, grows=True, draw=lambda c, _: Cell(c.help)),
        ]
        source = ListSource(columns, lambda choice: choice.label, lambda: self.shed.frame, self._choices)
        return Table(columns, source, empty="no key works here")

    def on_table_opened(self, event: Table.Opened) -> None:
        event.stop()
        choice: _Choice = event.row
        self.close()
        self.shed.run_binding(choice.entry.binding.action, choice.entry.node)


class CommandLog(ListBox):
    """The equivalent of what was done here, newest first; Enter copies one."""

    heading = "Shell commands of what was done here — Enter copies"

    def __init__(self, done: Sequence[tuple[datetime, str]]) -> None:
        super().__init__()
        self._done = list(reversed(done))

    def table(self) -> Table[Any]:
        columns: list[Column[tuple[datetime, str]]] = [
            Column(
                key="at",
                title="at",
                width=8,
                draw=lambda r, f: Cell(f"{r[0].astimezone(f.zone):%H:%M:%S}", "dim"),
                order=lambda r: r[0].timestamp(),
            ),
            Column(key="command", title="command", width=40, grows=True, draw=lambda r, _: Cell(r[1])),
        ]
        source = ListSource(columns, lambda row: row, lambda: self.shed.frame, self._done)
        return Table(
            columns, source, empty="nothing was done here yet; what changes something appears here as a command"
        )

    def on_table_opened(self, event: Table.Opened) -> None:
        event.stop()
        self.close()
        self.shed.copy(event.row[1], "the command")


def _choice(shed: App[Any], entries: Sequence[ActiveBinding]) -> _Choice:
    binding = entries[0].binding
    keys = " ".join(dict.fromkeys(shed.get_key_display(entry.binding) for entry in entries))
    return _Choice(keys, binding.description, binding.tooltip, entries[0])


def _by_action(active: Iterable[ActiveBinding]) -> list[list[ActiveBinding]]:
    """What a person can be told about, in the registry's order, each with all of its keys."""
    found: dict[str, list[ActiveBinding]] = {}
    for entry in active:
        if entry.enabled and entry.binding.tooltip and entry.binding.id:
            found.setdefault(entry.binding.id, []).append(entry)
    places = {action.id: (_far(action.scope), place) for place, action in enumerate(ACTIONS)}
    return [found[id] for id in sorted(found, key=lambda id: places.get(id, (1, len(places))))]


def _far(scope: str) -> int:
    """What belongs to this screen first, then what every list has, then what works everywhere."""
    return {"everywhere": 2, "list": 1}.get(scope, 0)
