"""Panes that stand beside each other on a wide screen, and take turns by Tab on a narrow one."""

from __future__ import annotations

from typing import ClassVar

from textual.widgets import Static

from tui.rows.run import pages
from tui.screens.base import ShedScreen
from tui.text import content


class Paned(ShedScreen):
    """The body has a Static `run-pages` for the names, and the panes, with their ids, in `.run-column`s."""

    PAGES: ClassVar[tuple[str, ...]]
    """Ids of the panes, in the order of Tab. On a narrow screen the one that is open is there alone."""
    INSIDE: ClassVar[str]
    """What has the focus in a pane that cannot have it."""

    def __init__(self) -> None:
        super().__init__()
        self.page = self.PAGES[0]

    def on_mount(self) -> None:
        self._open(self.page)

    def _open(self, page: str) -> None:
        self.page = page
        for id in self.PAGES:
            self.query_one(f"#{id}").set_class(id == page, "-open")
        for column in self.query(".run-column"):
            column.set_class(bool(column.query(f"#{page}")), "-open")
        self.query_one("#run-pages", Static).update(content(pages(self.PAGES, page)))
        target = self.query_one(f"#{page}")
        self.call_after_refresh((target if target.can_focus else target.query_one(self.INSIDE)).focus)

    def action_next_pane(self) -> None:
        self._open(self.PAGES[(self.PAGES.index(self._page_here()) + 1) % len(self.PAGES)])

    def action_last_pane(self) -> None:
        self._open(self.PAGES[self.PAGES.index(self._page_here()) - 1])

    def _page_here(self) -> str:
        """The pane with the focus: a click or a jump may have moved it."""
        focused = self.focused
        ids = {node.id for node in focused.ancestors_with_self} if focused is not None else set()
        return next((page for page in self.PAGES if page in ids), self.page)
