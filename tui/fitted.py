"""A page whose lines are a picture: drawn for the room that it has, and again when that is another one."""

from __future__ import annotations

from collections.abc import Callable

from tui.panes import Page
from tui.text import Lines

Drawing = Callable[[int, int], Lines]
"""(cells, lines) → the picture."""


class Fitted(Page):
    """Shows a drawing; `show` puts plain lines in its place. A bar to scroll with would take room from the drawing."""

    DEFAULT_CSS = "Fitted { overflow: hidden hidden; }"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._drawing: Drawing | None = None

    def draw(self, drawing: Drawing) -> None:
        """Shows this from now on."""
        self._drawing = drawing
        self._draw()

    def show(self, lines: Lines) -> None:
        self._drawing = None
        super().show(lines)

    def on_resize(self) -> None:
        if self._drawing is None:
            super().on_resize()
        else:
            self._draw()
            self.refresh()

    def _draw(self) -> None:
        width, height = self.content_size
        if self._drawing is not None and width and height:
            super().show(self._drawing(width, height))
