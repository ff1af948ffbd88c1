"""Where one types: the filter of a table, and commands. They stand in the strip's place, and blink never."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from textual.binding import Binding
from textual.suggester import Suggester
from textual.widgets import Input

from tui import commands
from tui.bars.notice import Notice

if TYPE_CHECKING:
    from tui.app import ShedApp
    from tui.table import Table


class Bar(Input):
    """A line to type into, on the last line of the screen: what is said meanwhile stands above it."""

    def on_mount(self) -> None:
        self._over = list(self.screen.query(Notice))
        for notice in self._over:
            notice.add_class("-above")

    def on_focus(self) -> None:
        self.insert_text_at_cursor(cast("ShedApp", self.app).take_typed_ahead())

    def on_unmount(self) -> None:
        for notice in self._over:
            notice.remove_class("-above")


class FilterBar(Bar):
    """The filter of one table, applied with each letter."""

    BINDINGS = [Binding("escape", "drop", "show all", show=True), Binding("down,tab", "keep", show=False)]
    DEFAULT_CSS = "FilterBar, CommandBar { height: 1; border: none; padding: 0 1; dock: bottom; background: $surface; }"

    def __init__(self, table: Table[Any]) -> None:
        super().__init__(
            table.query_.filter,
            placeholder="words   !not   state=failed   auc>0.75   took>5m",
            compact=True,
            select_on_focus=False,
        )
        self.table = table
        self.cursor_blink = False

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.table.ask_for(self.table.query_.filtered(event.value.strip()))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_keep()

    def action_keep(self) -> None:
        self.table.focus()
        self.remove()

    def action_drop(self) -> None:
        self.table.ask_for(self.table.query_.filtered(""))
        self.action_keep()

    def on_blur(self) -> None:
        self.remove()


class CommandBar(Bar):
    """A command line with completion: right arrow or End takes what is suggested."""

    BINDINGS = [Binding("escape", "close", "close", show=True), Binding("tab", "cursor_right_or_take", show=False)]

    def __init__(self) -> None:
        super().__init__(placeholder="a screen, `run 12`, `model late`, `at 14:05`, `theme light` …", compact=True)
        self.cursor_blink = False

    def on_mount(self) -> None:
        self.suggester = _Completion(cast("ShedApp", self.app))

    def action_cursor_right_or_take(self) -> None:
        self.action_end()
        self.action_cursor_right()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        text = event.value.strip()
        self.action_close()
        if text:
            cast("ShedApp", self.app).obey(text)

    def action_close(self) -> None:
        self.remove()

    def on_blur(self) -> None:
        self.remove()


class _Completion(Suggester):
    def __init__(self, shed: ShedApp) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._shed = shed

    async def get_suggestion(self, value: str) -> str | None:
        return commands.complete(value, self._shed.vocabulary)
