"""The terminal UI: the screens by their keys, and what works on all of them.

It talks to the daemon and to nothing else, shows what it is told, and asks before anything changes. Importing it loads
Textual and the standard library; the way to the daemon is loaded in the background, after the first picture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input

from tui.bars.notice import Notice
from tui.box import Box
from tui.core import ShedCore
from tui.failure import Failure
from tui.keybindings import bindings
from tui.screens import SCREENS
from tui.screens.base import ShedScreen
from tui.table import Table
from tui.terminal import MOUSE_OFF, MOUSE_ON
from tui.themes import THEMES

if TYPE_CHECKING:
    from textual.command import Provider

    from tui.commands import Vocabulary


def _actions() -> type[Provider]:
    from tui.palette import ActionCommands

    return ActionCommands


class ShedApp(ShedCore):
    """What an operator runs."""

    TITLE = "trainshed"
    CSS_PATH = "app.tcss"
    COMMANDS = {_actions}
    ENABLE_COMMAND_PALETTE = True
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide"), (160, "-huge")]
    MODES: ClassVar[dict[str, Any]] = {entry.mode: entry.make for entry in SCREENS}
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("everywhere"),
        *(
            Binding(entry.key, f"go_to({entry.mode!r})", entry.mode, show=False, id=f"screen.{entry.mode}")
            for entry in SCREENS
        ),
    ]

    _coming: Widget | None = None
    """A line to type into that was asked for, until it has the focus."""
    _typed_ahead = ""
    """What was typed since then."""

    # ---- keys that work everywhere -----------------------------------------------------------------------------------

    def action_go_to(self, mode: str) -> None:
        """To a screen as it was left; who is there already goes back to what it opened with."""
        if mode == self.current_mode:
            self.go_to_list(mode)
        else:
            self.go_to(mode)

    def go_to_list(self, mode: str) -> None:
        """To a screen itself, whatever was opened on top of it."""
        self.go_to(mode)
        while len(self.screen_stack) > 1 and self.screen.is_mounted:
            self.pop_screen()

    def action_last_screen(self) -> None:
        if self.before is not None:
            self.go_to(self.before)

    def action_step_back(self) -> None:
        screen = self.screen
        if isinstance(screen, ShedScreen) and self._let_go(screen):
            return
        if len(self.screen_stack) > 1:
            self._close(screen)
        elif self.moment is not None:
            self.past.leave()

    def action_leave(self) -> None:
        if len(self.screen_stack) > 1:
            self.action_step_back()
        else:
            self.exit(0)

    def _close(self, screen: Screen[Any]) -> None:
        """One that is only just being opened is closed once it stands: its parts, still to come, would be missed."""
        if screen.is_mounted:
            self.pop_screen()
        else:
            screen.call_after_refresh(lambda: self._close(screen) if self.screen is screen else None)

    def _let_go(self, screen: ShedScreen) -> bool:
        """One thing at a stroke, the innermost first: what is maximised, then a filter, marks, the last word."""
        if screen.maximized is not None:
            screen.minimize()
            return True
        table = screen.focused
        if isinstance(table, Table) and table.query_.filter:
            table.ask_for(table.query_.filtered(""))
            return True
        if isinstance(table, Table) and table.marks:
            table.action_unmark()
            return True
        if screen.let_go():
            return True
        return any(notice.hush() for notice in screen.query(Notice) if not notice.standing)

    def action_command_palette(self) -> None:
        from tui.palette import Palette

        if not isinstance(self.screen, Palette):
            self.push_screen(Palette(id="--command-palette"))

    def action_command(self) -> None:
        from tui.bars.typing import CommandBar

        if isinstance(self.screen, ShedScreen):
            self.type_into(CommandBar())

    def type_into(self, bar: Widget) -> None:
        """A line to type into, in the strip's place or at the end of a box."""
        boxes = self.screen.query(Box)
        where: Widget = boxes.last() if boxes else self.screen
        self._coming, self._typed_ahead = bar, ""
        where.mount(bar)
        bar.focus()

    def take_typed_ahead(self) -> str:
        """What was typed while the line to type into was still to come."""
        self._coming, typed, self._typed_ahead = None, self._typed_ahead, ""
        return typed

    def _on_key(self, event: events.Key) -> None:  # type: ignore[override]  # Textual calls that of the base as well
        """Over a slow link, or on a busy box, `/late` comes as one: its letters are not the keys of the list."""
        if not event.is_printable or event.character is None:
            return
        if self._coming is not None and self._coming.is_attached and self._coming.screen is self.screen:
            self._typed_ahead += event.character
            event.prevent_default()
        elif isinstance(self.focused, Input):  # which lets no letter pass that came to it
            self.focused.insert_text_at_cursor(event.character)
            event.prevent_default()

    def obey(self, text: str) -> None:
        """Does what was typed after `:`."""
        from tui.commands import read

        try:
            command = read(text, self.vocabulary)
        except Failure as failure:
            self.refuse(failure)
            return
        match command.verb, command.words:
            case "screen", (mode, filter_text):
                self.go_to_list(mode)
                if filter_text:
                    self.call_after_refresh(self._filter_here, filter_text)
            case "open", (kind, *words):
                self.open(kind, *words)
            case "theme", (name,):
                self.wear(name)
            case "filter", words:
                self._filter_here(" ".join(words))
            case "at", words:
                self.past.show(" ".join(words))
            case "action", (wanted,):
                entry = next((e for e in self.screen.active_bindings.values() if e.binding.id == wanted), None)
                if entry is not None:
                    self.run_binding(entry.binding.action, entry.node)
            case "quit", _:
                self.exit(0)

    def _filter_here(self, text: str) -> None:
        for table in list(self.screen.query(Table))[:1]:
            table.ask_for(table.query_.filtered(text))

    def action_actions(self) -> None:
        from tui.screens.actions import ActionMenu

        self.open_box(ActionMenu(self.screen))

    def action_commands(self) -> None:
        from tui.screens.actions import CommandLog

        self.open_box(CommandLog(list(self.done)))

    def action_hold(self) -> None:
        self.held = not self.held
        self.screen.query("TopLine").refresh()
        if not self.held and self.held_back:
            self.held_back = False
            self.paint_anew()
            self.read_again()

    def action_reload(self) -> None:
        self.paint_anew()
        if isinstance(self.screen, ShedScreen):
            self.screen.relink()

    def action_maximise(self) -> None:
        screen = self.screen
        if screen.maximized is not None:
            screen.minimize()
        elif screen.focused is not None:
            screen.maximize(screen.focused)

    def action_jump(self) -> None:
        from tui.screens.jump import JumpBox

        self.open_box(JumpBox(), lambda pane: None if pane is None else pane.focus())

    def action_copy(self) -> None:
        subject = self.screen.subject if isinstance(self.screen, ShedScreen) else None
        if subject is None:
            self.say("there is nothing to copy here", "warn")
        else:
            self.copy(subject.name, subject.name)

    def action_copy_menu(self) -> None:
        from tui.screens.copying import CopyMenu

        if isinstance(self.screen, ShedScreen):
            self.open_box(CopyMenu(self.screen))

    def action_mouse(self) -> None:
        """Without the mouse, the terminal's own selection works."""
        self.mouse = not self.mouse
        self.write(MOUSE_ON if self.mouse else MOUSE_OFF)
        self.say("the mouse works here" if self.mouse else "the mouse selects text, as in any terminal")

    # ---- the past ----------------------------------------------------------------------------------------------------

    def action_why(self) -> None:
        """The events of what the cursor is on."""
        from tui.screens.events import Events

        subject = self.screen.subject if isinstance(self.screen, ShedScreen) else None
        if subject is None:
            self.say("the cursor is on nothing that has events", "warn")
            return
        self.go_to_list("events")
        if isinstance(self.screen, Events):
            self.screen.only(subject.name)

    def action_replay(self) -> None:
        from tui.screens.past import AskMoment

        self.open_box(AskMoment(), lambda text: None if text is None else self.past.show(text))

    def action_earlier(self) -> None:
        self.past.step(-1)

    def action_later(self) -> None:
        self.past.step(1)

    # ---- what can be typed ------------------------------------------------------------------------------------------

    @property
    def vocabulary(self) -> Vocabulary:
        """What can be typed after `:`."""
        from tui.commands import Vocabulary

        screens = {name: entry.mode for entry in SCREENS for name in (entry.mode, *entry.aliases)}
        active = self.screen.active_bindings.values()
        words = {entry.binding.description: entry.binding.id for entry in active if entry.enabled and entry.binding.id}
        return Vocabulary(screens, words, tuple(THEMES), self._names())

    def _names(self) -> dict[str, list[str]]:
        status = self.status
        if status is None:
            return {}
        runs = [str(run.id) for run in (*status.running, *status.waiting)]
        models = sorted({alias.model for alias in status.production})
        return {"run": runs, "model": models, "job": sorted({run.job for run in status.running})}
