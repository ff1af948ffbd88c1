"""The stylesheet, read once: Textual reads all of it anew whenever a screen opens or a theme is put on, also where none
of it is different. That was a tenth of the start and a third of opening a screen.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final

from textual.cache import LRUCache
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet

_KEPT: Final = 1_000
"""Pieces of stylesheets, each as it reads with the colours of one theme; a theme has some eighty."""


class Sheet(Stylesheet):
    """Only what was added since is read; other variables, the colours of a theme, make all of it new, once."""

    _read: ClassVar[LRUCache[Any, list[RuleSet]]] = LRUCache(_KEPT)
    """Rules are not changed once they are read: a theme that is put on again finds them."""

    def set_variables(self, variables: dict[str, str]) -> None:
        if variables != self._variables:
            super().set_variables(variables)
            self._require_parse = True

    def reparse(self) -> None:
        if self._require_parse:
            self.parse()

    def _parse_rules(self, css: str, *place: Any, **further: Any) -> list[RuleSet]:
        key = (css, place, frozenset(further.items()), frozenset(self._variables.items()))
        found = self._read.get(key)
        if found is None:
            found = self._read[key] = super()._parse_rules(css, *place, **further)
        return found
