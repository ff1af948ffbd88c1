"""What the feed tells the application. Each is posted from the feed's thread and handled in the UI's."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from store.wire import ChangesView, StatusView
    from tui.failure import Failure


class Linked(Message):
    """The daemon answers: for the first time, or again."""

    def __init__(self, status: StatusView) -> None:
        super().__init__()
        self.status = status


class Changed(Message):
    """Something in the record is new."""

    def __init__(self, changes: ChangesView) -> None:
        super().__init__()
        self.changes = changes


class Cut(Message):
    """The daemon does not answer any more; what is on screen is as of `since`."""

    def __init__(self, failure: Failure, since: datetime | None) -> None:
        super().__init__()
        self.failure = failure
        self.since = since
