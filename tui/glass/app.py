"""An application over a terminal to which only differences are sent: it says when nothing is known any more."""

from __future__ import annotations

from textual.app import App

from tui.glass.driver import Sparing, SparingDriver
from tui.glass.sheet import Sheet


class SparingApp(App[int]):
    """Knows when its first picture stands, and when all of them have to be painted anew."""

    def __init__(self) -> None:
        super().__init__(driver_class=SparingDriver)
        self.stylesheet = Sheet(variables=self.get_css_variables())
        self._picture_stands = False

    def first_picture(self) -> None:
        """Called once, when the first picture is on the terminal."""

    def paint_anew(self) -> None:
        """Every cell, whatever is thought to stand on the screen: another program may have written there."""
        self._forget_the_glass()
        self.screen.refresh()

    def on_resize(self) -> None:
        """A terminal of another size may have moved its lines about; Textual paints all of them again."""
        self._forget_the_glass()

    def post_display_hook(self) -> None:
        """Textual calls it after each picture, also after those of which nothing was left to be sent."""
        if self._picture_stands or (isinstance(self._driver, Sparing) and not self._driver.glass.drawn):
            return
        self._picture_stands = True
        self.first_picture()

    def _forget_the_glass(self) -> None:
        if isinstance(self._driver, Sparing):
            self._driver.glass.forget()
