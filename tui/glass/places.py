"""Where the parts of a screen stand, and which of them have to be told of their size.

Textual makes its map of the parts anew between two layouts, at the first question for a place after a hidden part had
news. A part that is shown by then is in the map before the layout that shows it, which takes it for one that was there
already: it never hears of its size, and what is broken into lines stays empty.
"""

from __future__ import annotations

from textual._compositor import Compositor, CompositorMap, ReflowResult
from textual.geometry import Size
from textual.widget import Widget


class Places(Compositor):
    """Each layout is compared with the one before it, whatever was asked for in between."""

    def __init__(self) -> None:
        super().__init__()
        self._laid_out: CompositorMap = {}

    def reflow(self, parent: Widget, size: Size) -> ReflowResult:
        """As Textual's: what is hidden, shown and resized by it."""
        self._full_map = self._laid_out
        result = super().reflow(parent, size)
        self._laid_out = self._full_map
        return result
