"""Panes that share one place: a line with their names, and the one that is looked at under it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import ContentSwitcher, Static

from tui.pane import Pane
from tui.themes import STYLES

W = TypeVar("W", bound=Widget)


class Page(Pane):
    """Lines that are read by scrolling."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "scroll_down", show=False),
        Binding("k", "scroll_up", show=False),
        Binding("g", "scroll_home", show=False),
        Binding("G", "scroll_end", show=False),
        Binding("ctrl+d", "page_down", show=False),
        Binding("ctrl+u", "page_up", show=False),
    ]
    DEFAULT_CSS = "Page { padding: 0 1; scrollbar-size: 1 1; }"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes, focusable=True)


class Panes(Vertical):
    """One of several widgets, by name."""

    DEFAULT_CSS = """
    Panes { width: 1fr; height: 1fr; }
    Panes > #pane-names { height: 1; padding: 0 1; }
    Panes > ContentSwitcher { height: 1fr; }
    """

    def __init__(self, panes: Mapping[str, Widget]) -> None:
        """Name → widget, in order."""
        super().__init__()
        self._panes = dict(panes)
        self._aside: frozenset[str] = frozenset()
        for name, widget in self._panes.items():
            if widget.id is None:
                widget.id = _id(name)
        self.here = next(iter(self._panes))

    def compose(self) -> ComposeResult:
        yield Static(self._names(), id="pane-names")
        yield ContentSwitcher(*self._panes.values(), initial=self._panes[self.here].id)

    @property
    def names(self) -> Sequence[str]:
        """Those that can be turned to."""
        return [name for name in self._panes if name not in self._aside]

    def pane(self, name: str, kind: type[W]) -> W:
        """The widget of that name."""
        return self.query_one(f"#{self._panes[name].id}", kind)

    def set_aside(self, names: frozenset[str], *, focus: bool = True) -> None:
        """These are shown elsewhere, and not here."""
        if names != self._aside:
            self._aside = names
            self.go(self.here if self.here in self.names else self.names[0], focus=focus)

    def turn(self, step: int, *, focus: bool = True) -> None:
        """To the next pane, or with -1 to the one before."""
        names = self.names
        self.go(names[(names.index(self.here) + step) % len(names)], focus=focus)

    def go(self, name: str, *, focus: bool = True) -> None:
        """To a pane, and the focus into it."""
        self.here = name
        switcher = self.query_one(ContentSwitcher)
        switcher.current = self._panes[name].id
        self.query_one("#pane-names", Static).update(self._names())
        if focus:
            self.focus_here()

    def focus_here(self) -> None:
        """Into the pane that is shown: itself, or the first in it that can have the focus."""
        pane = self._panes[self.here]
        found = next((w for w in (pane, *pane.query("*").results(Widget)) if w.can_focus), None)
        if found is not None:
            found.focus()

    def _names(self) -> Content:
        parts = [
            Content.assemble((f" {name} ", "$cursor-text on $cursor" if name == self.here else STYLES["dim"]))
            for name in self.names
        ]
        return Content(" ").join(parts)


def _id(name: str) -> str:
    return "pane-" + name.replace(" ", "-")
