"""What a table says: where its cursor is, what was opened, how many rows there are. Handlers are `on_table_…`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.message import Message

if TYPE_CHECKING:
    from tui.failure import Failure
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


class Refused(Message, namespace="table"):
    """What was asked for cannot be had, and other rows are on screen; or `over`: they are here after all."""

    def __init__(self, table: Holding[Any], failure: Failure, *, over: bool = False) -> None:
        super().__init__()
        self.table = table
        self.failure = failure
        self.over = over

    @property
    def control(self) -> Holding[Any]:
        return self.table
