"""`Y`: the name, the row as JSON, the command that shows it, or the whole screen as a file."""

from __future__ import annotations

from typing import Any, NamedTuple

from tui.screens.actions import ListBox
from tui.screens.base import ShedScreen
from tui.table import Cell, Column, ListSource, Table


class _Way(NamedTuple):
    label: str
    text: str
    to_file: bool = False


class CopyMenu(ListBox):
    heading = "Copy — Enter does it"

    def __init__(self, over: ShedScreen) -> None:
        super().__init__()
        self._ways = _ways(over)

    def table(self) -> Table[Any]:
        columns: list[Column[_Way]] = [
            Column(key="what", title="what", width=24, draw=lambda w, _: Cell(w.label, "strong")),
            Column(key="text", title="", width=30, grows=True, draw=lambda w, _: Cell(w.text, "dim")),
        ]
        source = ListSource(columns, lambda way: way.label, lambda: self.shed.frame, self._ways)
        return Table(columns, source, empty="there is nothing to copy here")

    def on_table_opened(self, event: Table.Opened) -> None:
        event.stop()
        way: _Way = event.row
        self.close()
        (self.shed.copy_to_file if way.to_file else self.shed.copy)(way.text, way.label)


def _ways(over: ShedScreen) -> list[_Way]:
    ways = []
    subject = over.subject
    if subject is not None:
        ways = [_Way("name", subject.name), _Way("command", subject.command)]
        if subject.view is not None:
            ways.append(_Way("JSON", subject.view.model_dump_json(indent=2)))
    return [*ways, _Way("screen, to a file", screen_text(over), to_file=True)]


def screen_text(screen: ShedScreen) -> str:
    """What is on the screen, as text."""
    width, height = screen.size
    lines = screen._compositor.render_strips()
    return "\n".join(strip.text[:width].rstrip() for strip in lines[:height])
