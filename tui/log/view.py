"""The widget: a window on a log, with its keys."""

from __future__ import annotations

from typing import TypeAlias

from textual.message import Message

from tui.keybindings import bindings
from tui.log import window


class LogView(window.LogWindow, can_focus=True):
    """Lines of one stream of one attempt."""

    BINDINGS = bindings("log")
    Stood: TypeAlias = window.Stood

    class Wanted(Message):
        """A key asked for something that only the screen can do."""

        def __init__(self, what: str) -> None:
            super().__init__()
            self.what = what

    # ---- keys --------------------------------------------------------------------------------------------------------

    def _move(self, rows: int) -> None:
        self.following = self.following and rows > 0 and self.piece.at_end
        self._to(self.scroll_offset.y + rows)
        self.post_message(self.Stood())

    def action_down(self) -> None:
        self._move(1)

    def action_up(self) -> None:
        self._move(-1)

    def action_page_down(self) -> None:
        self._move(self.size.height - 1)

    def action_page_up(self) -> None:
        self._move(1 - self.size.height)

    def action_left(self) -> None:
        self.scroll_to(x=max(0, self.scroll_offset.x - 16), animate=False, immediate=True)

    def action_right(self) -> None:
        self.scroll_to(x=self.scroll_offset.x + 16, animate=False, immediate=True)

    def action_top(self) -> None:
        self.go_start()

    def action_bottom(self) -> None:
        self.go_end()

    def action_wrap(self) -> None:
        top = self._line_of(self.scroll_offset.y)
        self.wrap = not self.wrap
        self._measure()
        self._to(len(self._rows) if self.following else self._first_row(top))

    def action_follow(self) -> None:
        self.following = not self.following
        if self.following:
            self.go_end()
        self.post_message(self.Stood())

    def action_search(self) -> None:
        self.post_message(self.Wanted("search"))

    def action_next_hit(self) -> None:
        self.post_message(self.Wanted("next"))

    def action_last_hit(self) -> None:
        self.post_message(self.Wanted("before"))

    def action_stream(self) -> None:
        self.post_message(self.Wanted("stream"))

    def action_attempt(self) -> None:
        self.post_message(self.Wanted("attempt"))

    def action_pager(self) -> None:
        self.post_message(self.Wanted("pager"))

    def action_copy_lines(self) -> None:
        self.shed.copy("\n".join(line.rstrip() for line in self.in_view), "the lines on screen")
