"""`;`: a letter on every pane; the letter takes the focus there."""

from __future__ import annotations

from typing import Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen, Screen
from textual.widget import Widget
from textual.widgets import Static

LETTERS = "asdfghjklqwertyuiop"


class JumpBox(ModalScreen[None]):
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "close")]

    def __init__(self, over: Screen[Any]) -> None:
        super().__init__()
        panes = [widget for widget in over.focus_chain if isinstance(widget, Widget)]
        self._targets = dict(zip(LETTERS, panes, strict=False))

    def compose(self) -> ComposeResult:
        for letter, pane in self._targets.items():
            label = Static(f" {letter} ", classes="jump")
            label.styles.offset = (pane.region.x, pane.region.y)
            yield label

    def on_key(self, event: events.Key) -> None:
        event.stop()
        target = self._targets.get(event.character or "")
        self.dismiss()
        if target is not None:
            target.focus()
