"""One line for what just happened or went wrong, with what to do next. Empty, it takes no room."""

from __future__ import annotations

from textual.widgets import Static

from tui.failure import Failure
from tui.text import content, line
from tui.themes import Tone


class Notice(Static):
    """Stays until something else is to be said, or the operator goes on."""

    DEFAULT_CSS = """
    Notice { height: auto; max-height: 8; dock: bottom; background: $panel; padding: 0 1; display: none; }
    Notice.-said { display: block; }
    Notice.-above { padding-bottom: 1; }
    """

    standing = False
    """Whether what is said is so as long as the screen is as it is: no stroke of its own takes it away."""
    refusal: Failure | None = None
    """What failed, while that is what is said."""

    def say(self, text: str, tone: Tone = "", *, standing: bool = False) -> None:
        self.standing = standing
        self.refusal = None
        glyph = {"good": "✔ ", "bad": "✘ ", "warn": "! "}.get(tone, "")
        self.update(content([line((glyph + text, tone))]))
        self.add_class("-said")

    def refuse(self, failure: Failure) -> None:
        """What failed, where, and the remedy."""
        self.standing = False
        self.refusal = failure
        place = f"{failure.where}: " if failure.where else ""
        self.update(content([line((f"✘ {place}{failure.what}", "bad")), line(f"  → {failure.remedy}")]))
        self.add_class("-said")

    def settle(self, failure: Failure) -> None:
        """That is not so any more."""
        if self.refusal is failure:
            self.hush()

    def hush(self) -> bool:
        """Takes the last word away; whether there was one."""
        said = self.has_class("-said")
        self.remove_class("-said")
        return said
