"""`;`: a letter on every pane; the letter takes the focus there."""

from __future__ import annotations

from textual import events
from textual.widget import Widget
from textual.widgets import Static

from tui.box import Box

LETTERS = "asdfghjklqwertyuiop"


class Letter(Static):
    """Stands on the corner of its pane."""

    DEFAULT_CSS = """
    Letter {
        layer: above; position: absolute; width: 3; height: 1;
        background: $accent; color: $background; text-style: bold;
    }
    """


class JumpBox(Box[Widget], can_focus=True):
    """Holds the focus while the letters are there; closes with the pane that was chosen."""

    DEFAULT_CSS = "JumpBox { width: 34; height: 1; border: none; background: $panel; }"

    def render(self) -> str:
        return "a letter goes there, Esc stays"

    def on_mount(self) -> None:
        self._targets = dict(zip(LETTERS, self.screen.focus_chain, strict=False))
        for letter, pane in self._targets.items():
            label = Letter(f" {letter} ")
            label.styles.offset = (pane.region.x, pane.region.y)
            self.screen.mount(label)

    def focus_first(self) -> None:
        self.focus()

    def on_key(self, event: events.Key) -> None:
        event.stop()
        self.screen.query(Letter).remove()
        self.close(self._targets.get(event.character or ""))
