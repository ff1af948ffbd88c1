"""Events: who did what to what, when and why; the history that nobody can change."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Final, cast

from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from tui.keybindings import bindings
from tui.pane import Pane
from tui.rows import events as rows
from tui.rows.needs import target
from tui.screens.base import ShedScreen, Subject
from tui.table import Query, Slice, Table

if TYPE_CHECKING:
    from store.wire import ChangesView, EventView
    from tui.app import ShedApp
    from tui.client import Client


_NEWEST_FIRST: Final = Query(sort="-id")
"""The one order that the history has: who follows stays at its top."""


class EventSource:
    """The daemon's history by position, up to a moment when there is one."""

    local = False

    def __init__(self, moment: Callable[[], datetime | None]) -> None:
        self.moment = moment

    def key(self, row: EventView) -> int:
        return row.id

    def window(self, daemon: Client, query: Query, offset: int, limit: int) -> Slice[EventView]:
        found = daemon.event_window(rows.as_of(query.filter, self.moment()), offset=offset, limit=limit)
        return Slice(found.items, found.offset, found.total)

    def count(self, daemon: Client, query: Query) -> int:
        return daemon.count_events(rows.as_of(query.filter, self.moment()))


class Events(ShedScreen):
    BINDINGS: ClassVar[list[BindingType]] = bindings("events")
    TITLE_HERE = "Events"

    def __init__(self) -> None:
        super().__init__()
        self._first = _NEWEST_FIRST

    def body(self) -> Iterable[Widget]:
        table: Table[EventView] = Table(
            rows.columns(),
            EventSource(lambda: cast("ShedApp", self.app).moment),
            empty="nothing has happened yet",
            faults=rows.FAULTS,
        )
        table.query_ = self._first
        yield Horizontal(
            Vertical(table, Pane(id="below")),
            Pane(id="facts", classes="side"),
        )

    @property
    def table(self) -> Table[EventView]:
        return self.query_one(Table)

    @property
    def subject(self) -> Subject | None:
        event = self.table.row
        if event is None:
            return None
        return Subject(event.subject, f'trainshed events --subject "{event.subject}"', event)

    def news(self, changes: ChangesView) -> None:
        """New ones come at the top; the cursor stays on its event."""
        if changes.events:
            self.table.reread()

    def only(self, subject: str) -> None:
        """Leaves the events of one thing."""
        wanted = _NEWEST_FIRST.filtered(rows.about(subject))
        if self.is_mounted:
            self.table.ask_for(wanted)
        else:
            self._first = wanted

    def on_table_moved(self, event: Table.Moved) -> None:
        lines = [] if event.row is None else rows.facts(event.row, self.shed.frame)
        for pane in self.query(Pane):
            pane.show(lines)

    def on_table_opened(self, event: Table.Opened) -> None:
        match target(event.row.subject):
            case (mode,):
                self.shed.go_to(mode)
            case (kind, *names):
                self.shed.open(kind, *names)
            case _:
                self.shed.go_to("system")
