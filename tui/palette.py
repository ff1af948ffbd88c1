"""The palette, ctrl+p: every action that works here, every screen, every theme."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from textual.await_complete import AwaitComplete
from textual.command import CommandList, CommandPalette, DiscoveryHit, Hit, Hits, Provider

from tui.screens import SCREENS
from tui.themes import THEMES

if TYPE_CHECKING:
    from tui.app import ShedApp


class Palette(CommandPalette):
    """Textual's own, for fingers that are faster than it is: in 8.2 a page down in a list that is not laid out yet ends
    the UI, and so does a search that ends while the palette is closed; a second Enter takes the screen below along.
    """

    def dismiss(self, result: Any = None) -> AwaitComplete:
        if self.app.screen is self:
            self._cancel_gather_commands()
            return super().dismiss(result)
        gone_already: AwaitComplete = AwaitComplete.nothing()  # type: ignore[no-untyped-call]
        return gone_already

    def _action_command_list(self, action: str) -> None:
        if self.query_one(CommandList).size.height:
            super()._action_command_list(action)

    def _gather_commands(self, search_value: str) -> Any:
        """Not for a letter that was typed just before it was closed."""
        return super()._gather_commands(search_value) if self.is_current else None

    def _watch__list_visible(self) -> None:
        if self.is_current:
            super()._watch__list_visible()

    async def _watch__show_busy(self) -> None:
        if self.is_current:
            await super()._watch__show_busy()


class ActionCommands(Provider):
    async def discover(self) -> Hits:
        for words, run in self._all():
            yield DiscoveryHit(words, run)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for words, run in self._all():
            score = matcher.match(words)
            if score > 0:
                yield Hit(score, matcher.highlight(words), run)

    def _all(self) -> list[tuple[str, Callable[[], Any]]]:
        shed = cast("ShedApp", self.app)
        entries = [e for e in self.screen.active_bindings.values() if e.enabled and e.binding.tooltip]
        found: list[tuple[str, Callable[[], Any]]] = [
            (f"{e.binding.description}: {e.binding.tooltip}", partial(shed.run_binding, e.binding.action, e.node))
            for e in entries
        ]
        found += [(f"go to {entry.mode}", partial(shed.go_to, entry.mode)) for entry in SCREENS]
        found += [(f"theme {name}", partial(shed.wear, name)) for name in THEMES]
        return found
