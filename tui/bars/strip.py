"""The last line: the keys that matter where the focus is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.widget import Widget

from tui.themes import STYLES

if TYPE_CHECKING:
    from textual.app import RenderResult


class KeyStrip(Widget):
    """Eight keys at most, the focused widget's before the screen's before everybody's."""

    DEFAULT_CSS = "KeyStrip { height: 1; dock: bottom; background: $panel; color: $foreground; }"

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, lambda _: self.refresh())

    def render(self) -> RenderResult:
        active = self.screen.active_bindings.values()
        shown: dict[str, str] = {}
        for entry in active:
            if entry.binding.show and entry.enabled and entry.binding.description:
                shown.setdefault(entry.binding.description, self.app.get_key_display(entry.binding))
        parts: list[Content] = []
        room = self.size.width - 1
        for label, key in shown.items():
            part = Content.assemble((key, STYLES["key"]), f" {label}")
            room -= part.cell_length + 3
            if room < 0:
                break
            parts.append(part)
        return Content.assemble(" ", Content("   ").join(parts))
