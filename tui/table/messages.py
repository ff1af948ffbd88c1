"""What a table says: where its cursor is, what was opened, how many rows there are. Handlers are `on_table_…`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.message import Message

if TYPE_CHECKING:
    from tui.table.holding import Holding


class Moved(Message, namespace="table"):
    """The cursor lies on another row, or on a newer state of the same one. `row` is None where there is none."""

    def __init__(self, table: Holding[Any], row: Any) -> None:
        super().__init__()
        self.table = table
        self.row = row

    @property
    def control(self) -> Holding[Any]:
        return self.table


class Opened(Moved, namespace="table"):
    """Enter was pressed on a row."""


class Counted(Message, namespace="table"):
    """The number of rows, or the query, is another one."""

    def __init__(self, table: Holding[Any]) -> None:
        super().__init__()
        self.table = table

    @property
    def control(self) -> Holding[Any]:
        return self.table
