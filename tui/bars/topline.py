"""The first line: project, path, and how the UI stands to the daemon."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual.content import Content
from textual.widget import Widget

from tui.table.column import Cell
from tui.themes import STYLES

if TYPE_CHECKING:
    from textual.app import RenderResult

    from tui.app import ShedApp
    from tui.screens.base import ShedScreen


class TopLine(Widget):
    """Draws what the application and the screen say of themselves."""

    DEFAULT_CSS = "TopLine { height: 1; dock: top; background: $panel; color: $foreground; }"

    def render(self) -> RenderResult:
        shed = cast("ShedApp", self.app)
        screen = cast("ShedScreen", self.screen)
        way = [*screen.crumbs, f"/{screen.filter}"] if screen.filter else screen.crumbs
        left = Content.assemble(
            (" trainshed ", "bold"), f"{shed.title_of_shed}  ", ("  ›  ".join(way), STYLES["strong"])
        )
        right = [cell for cell in (*self._modes(shed), shed.link.badge(shed.frame.zone)) if cell.text]
        badges = Content("  ").join(Content.assemble((cell.text, STYLES[cell.tone])) for cell in right)
        space = self.size.width - left.cell_length - badges.cell_length - 1
        if space < 1:
            left = left.truncate(max(0, self.size.width - badges.cell_length - 2), ellipsis=True)
            space = 1
        return Content.assemble(left, " " * space, badges, " ")

    @staticmethod
    def _modes(shed: ShedApp) -> list[Cell]:
        return [
            Cell("held" if shed.held else "", "warn"),
            Cell("read only" if shed.settings.read_only else "", "warn"),
            Cell("lite" if shed.settings.lite else "", "dim"),
        ]
