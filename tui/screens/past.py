"""Asks for the time to which the whole UI is to go back."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import Input, Static

from tui.box import Box


class AskMoment(Box[str]):
    """Closes with the time as it was typed."""

    def __init__(self) -> None:
        super().__init__(classes="-small")

    def compose(self) -> ComposeResult:
        yield Static("Show the shed as it was at", classes="box-title")
        field = Input(placeholder="14:05   2026-11-23 14:05   20min   2h", compact=True)
        field.cursor_blink = False
        yield field
        yield Static("[ and ] then step from event to event; Esc returns to now", classes="dim", markup=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.close(event.value.strip() or None)
