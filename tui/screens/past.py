"""Asks for the time to which the whole UI is to go back."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static


class AskMoment(ModalScreen[str | None]):
    """The time as it was typed, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "close")]

    def compose(self) -> ComposeResult:
        with Vertical(id="box", classes="-small"):
            yield Static("Show the shed as it was at", id="box-title")
            field = Input(placeholder="14:05   2026-11-23 14:05   20min   2h", compact=True)
            field.cursor_blink = False
            yield field
            yield Static("[ and ] then step from event to event; Esc returns to now", classes="dim")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.dismiss(event.value.strip() or None)
