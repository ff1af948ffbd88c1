"""What draws its own cells: each tone as it looks on the ground of the widget.

Textual's component classes do the same with a node of its own for each tone of each widget: on the Overview 90 of them
were styled before the first picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rich.style import Style
from textual.style import Style as VisualStyle
from textual.widget import Widget

from tui.themes import STYLES

PARTS: Final[Mapping[str, str]] = {
    "head": "bold $tone-dim on $background",
    "chosen": "bold underline $accent on $background",
    "title": "bold $accent on $background",
    "cursor": "$cursor-text on $cursor",
    "hit": "bold $background on $accent",
    "mark": "bold $tone-mark",
}
"""Of lists and logs: the line of titles, the chosen one, a list's own, the cursor's line, what a search has found; a
mark in the gutter is bold."""
_LOOKS: Final[Mapping[str, str]] = {**{str(tone): style for tone, style in STYLES.items()}, **PARTS}


class Toned(Widget):
    """Looks by tone or part, until another theme is put on."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._looks: dict[str, Style] = {}

    def toned(self, name: str = "") -> Style:
        """Of a tone, or of one of `PARTS`."""
        if name not in self._looks:
            self._looks[name] = (self.visual_style + VisualStyle.parse(_LOOKS[name])).rich_style
        return self._looks[name]

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, lambda _: self.restyle())

    def on_unmount(self) -> None:
        """Or the application would hold every list and page that was ever opened, until a theme is put on."""
        self.app.theme_changed_signal.unsubscribe(self)

    def restyle(self) -> None:
        """Its ground or the theme is another one."""
        self._looks.clear()
        self.refresh()
