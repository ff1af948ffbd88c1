"""The terminal UI: one root that puts screens, feed, desk and keys together.

It talks to the daemon and to nothing else, shows what it is told, and asks before anything changes. Importing it loads
Textual and the standard library; the way to the daemon is loaded in the background, after the first picture.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

from textual.app import App
from textual.binding import Binding, BindingType
from textual.dom import DOMNode
from textual.message import Message
from textual.screen import ModalScreen, Screen
from textual.widget import Widget

from tui import commands, crash
from tui.clipboard import osc52, write_copy
from tui.desk import Desk
from tui.failure import Failure, NoDaemon
from tui.feed import Feed
from tui.keybindings import bindings
from tui.link import Link
from tui.messages import Changed, Cut, Linked
from tui.palette import ActionCommands
from tui.past import Past
from tui.screens import DETAILS, SCREENS, detail_screen
from tui.screens.base import ShedScreen
from tui.settings import UiSettings
from tui.table import Frame, Table
from tui.themes import THEMES, Tone

if TYPE_CHECKING:
    from store.wire import StatusView
    from tui.charts.plot import Style
    from tui.client import Client
    from tui.log.reading import Place
    from tui.log.tail import Tail
    from tui.plan import Proposal

T = TypeVar("T")
_REMEMBERED: Final = 200


class ShedApp(App[int]):
    """Every door to the outside is an argument, so tests give a daemon of their own."""

    CSS_PATH = "app.tcss"
    COMMANDS = {ActionCommands}
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

    def __init__(
        self,
        *,
        connect: Callable[[], Client],
        title: str,
        settings: UiSettings,
        environ: Mapping[str, str],
        copies: Path,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        start: str = "overview",
    ) -> None:
        """`connect` makes a client, in threads. `copies`: the folder for copied texts and crash reports."""
        super().__init__()
        self.settings = settings
        self.title_of_shed = title
        self.link = Link()
        self.past = Past(self)
        self.held = False
        self.status: StatusView | None = None
        self.done: deque[tuple[datetime, str]] = deque(maxlen=_REMEMBERED)
        self.crash_report: Path | None = None
        self.environ = environ
        self._copies = copies
        self.now = now
        self._start = start
        self._before: str | None = None
        self._actions: deque[str] = deque(maxlen=20)
        self.connect = connect
        self._desk = Desk(connect, self.call_later)
        self._feed = Feed(connect, self.post_message, now, pace=settings.pace)
        self._held_back = False
        self._mouse = settings.mouse
        for theme in THEMES.values():
            self.register_theme(theme)
        self.theme = "ansi-dark" if settings.lite and settings.theme == "dark" else settings.theme
        self.animation_level = "none"
        self.set_keymap(settings.keys)

    # ---- what screens use ------------------------------------------------------------------------------------------

    @property
    def frame(self) -> Frame:
        """The moment for which rows are drawn."""
        return Frame(self.moment or self.now(), UTC if self.settings.utc else None)

    @property
    def moment(self) -> datetime | None:
        """The time in the past that is shown; None is now."""
        return self.past.moment

    @property
    def idle(self) -> bool:
        """No question to the daemon is under way."""
        return self._desk.idle

    @property
    def chart_style(self) -> Style:
        """What curves are drawn with here."""
        from tui.charts.style import style_for

        return style_for(self.environ, lite=self.settings.lite)

    @property
    def vocabulary(self) -> commands.Vocabulary:
        """What can be typed after `:`."""
        screens = {name: entry.mode for entry in SCREENS for name in (entry.mode, *entry.aliases)}
        active = self.screen.active_bindings.values()
        words = {entry.binding.description: entry.binding.id for entry in active if entry.enabled and entry.binding.id}
        return commands.Vocabulary(screens, words, tuple(THEMES), self._names())

    def ask(
        self,
        group: str,
        put: Callable[[Client], T],
        answered: Callable[[T], None],
        *,
        refused: Callable[[Failure], None] | None = None,
    ) -> None:
        """A question in the background; see Desk."""
        self._desk.ask(group, put, answered, refused or self.refuse)

    def propose(self, proposal: Proposal, then: Callable[[], None] = lambda: None) -> None:
        """Shows a plan; `then` is called if it was carried out."""
        from tui.plan import PlanBox

        self.push_screen(PlanBox(proposal), lambda done: then() if done else None)

    def tail(self, place: Place, offset: int, deliver: Callable[[Message], object]) -> Tail:
        """Follows a log in the background, until it is stopped."""
        from tui.log.tail import Tail

        tail = Tail(self.connect, deliver, place, offset, pace=self.settings.pace)
        tail.start()
        return tail

    def did(self, command: str) -> None:
        """Remembers the shell command of something that was done here."""
        self.done.append((self.now(), command))

    def say(self, text: str, tone: Tone = "") -> None:
        if isinstance(self.screen, ShedScreen):
            self.screen.say(text, tone)

    def refuse(self, failure: Failure) -> None:
        if isinstance(self.screen, ShedScreen):
            self.screen.refuse(failure)

    def open(self, kind: str, *words: str) -> None:
        """The screen of one object, on top of this one."""
        if kind in DETAILS:
            self.push_screen(detail_screen(kind, *words))

    def go_to(self, mode: str) -> None:
        if mode != self.current_mode:
            self._before = self.current_mode
            self.switch_mode(mode)

    def wear(self, theme: str) -> None:
        self.theme = theme

    def run_binding(self, action: str, node: DOMNode) -> None:
        """Does what a key on a node would do."""
        self.call_later(self.run_action, action, node)

    def read_again(self) -> None:
        """Everything that is open is as of another time, or of a daemon that was away."""
        for screen in self.open_screens():
            if screen is self._top():
                screen.relink()
                screen.refresh_bindings()
            else:
                screen.outdate()

    # ---- life --------------------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        self.switch_mode(self._start)
        self._feed.start()

    def on_unmount(self) -> None:
        self._feed.stop()
        self._desk.close()

    def on_linked(self, message: Linked) -> None:
        again = self.link.state == "cut"
        self.status = message.status
        self.stand(Link("live"))
        self.read_again()
        if again:
            self.say("the daemon is back", "good")

    def on_changed(self, message: Changed) -> None:
        if self.moment is not None:
            return
        if self.held:
            self._held_back = True
            return
        for screen in self.open_screens():
            if screen is self._top():
                screen.news(message.changes)
            else:
                screen.outdate()

    def on_cut(self, message: Cut) -> None:
        self.stand(Link("cut", message.since))
        if self.status is None:
            for screen in self.open_screens():
                for table in screen.query(Table):
                    table.failed(message.failure)
        if isinstance(self.screen, ShedScreen) and isinstance(message.failure, NoDaemon):
            from tui.bars.notice import Notice

            self.screen.query_one(Notice).refuse(message.failure)

    def stand(self, link: Link) -> None:
        """How the UI stands to the daemon from now on; the past is the past until it is left."""
        self.link = link if self.moment is None else Link("past", self.moment)
        for screen in self.open_screens():
            screen.query("TopLine").refresh()

    def open_screens(self) -> list[ShedScreen]:
        """Every screen that is open, in any mode."""
        return [screen for stack in self._screen_stacks.values() for screen in stack if isinstance(screen, ShedScreen)]

    def _top(self) -> Screen[Any] | None:
        """The topmost screen that is not a box."""
        return next((s for s in reversed(self.screen_stack) if not isinstance(s, ModalScreen)), None)

    def _names(self) -> dict[str, list[str]]:
        status = self.status
        if status is None:
            return {}
        runs = [str(run.id) for run in (*status.running, *status.waiting)]
        models = sorted({alias.model for alias in status.production})
        return {"run": runs, "model": models, "job": sorted({run.job for run in status.running})}

    def _handle_exception(self, error: Exception) -> None:
        """A fault of ours: a report instead of a traceback on the operator's terminal."""
        if self.crash_report is None and not self.is_headless:
            self.crash_report = crash.report(error, list(self._actions), self._copies, self.now())
            self._return_code = 1
            self.exit(1)
            return
        super()._handle_exception(error)

    # ---- keys that work everywhere -----------------------------------------------------------------------------------

    def action_go_to(self, mode: str) -> None:
        self.go_to(mode)

    def action_last_screen(self) -> None:
        if self._before is not None:
            self.go_to(self._before)

    def action_step_back(self) -> None:
        screen = self.screen
        if isinstance(screen, ShedScreen) and self._let_go(screen):
            return
        if (
            len(self.screen_stack) > 1
            and not isinstance(self.screen_stack[-2], ModalScreen)
            and len(self._stack_here()) > 1
        ):
            self.pop_screen()
        elif self.moment is not None:
            self.past.leave()

    def action_leave(self) -> None:
        if len(self._stack_here()) > 1:
            self.action_step_back()
        else:
            self.exit(0)

    def _stack_here(self) -> list[Screen[Any]]:
        return [screen for screen in self.screen_stack if isinstance(screen, ShedScreen)]

    def _let_go(self, screen: ShedScreen) -> bool:
        """The innermost thing first: what is maximised, then a filter, then marks, then the last word."""
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
        screen.query("Notice").remove_class("-said")
        return False

    def action_command(self) -> None:
        from tui.bars.typing import CommandBar

        if isinstance(self.screen, ShedScreen):
            self.type_into(CommandBar())

    def type_into(self, bar: Widget) -> None:
        """A line to type into, in the strip's place or at the end of a box."""
        boxes = self.screen.query("#box")
        where: Widget = boxes.first() if boxes else self.screen
        where.mount(bar)
        bar.focus()

    def obey(self, text: str) -> None:
        """Does what was typed after `:`."""
        try:
            command = commands.read(text, self.vocabulary)
        except Failure as failure:
            self.refuse(failure)
            return
        match command.verb, command.words:
            case "screen", (mode, filter_text):
                self.go_to(mode)
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

        self.push_screen(ActionMenu(self.screen))

    def action_commands(self) -> None:
        from tui.screens.actions import CommandLog

        self.push_screen(CommandLog(list(self.done)))

    def action_hold(self) -> None:
        self.held = not self.held
        self.screen.query("TopLine").refresh()
        if not self.held and self._held_back:
            self._held_back = False
            self.action_reload()

    def action_reload(self) -> None:
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

        self.push_screen(JumpBox(self.screen))

    def action_copy(self) -> None:
        subject = self.screen.subject if isinstance(self.screen, ShedScreen) else None
        if subject is None:
            self.say("there is nothing to copy here", "warn")
        else:
            self.copy(subject.name, subject.name)

    def action_copy_menu(self) -> None:
        from tui.screens.copying import CopyMenu

        if isinstance(self.screen, ShedScreen):
            self.push_screen(CopyMenu(self.screen))

    def copy(self, text: str, name: str) -> None:
        """Into the clipboard of the terminal on the other side; into a file where it is too long for that."""
        sequence = osc52(text, self.environ)
        if sequence is None:
            self.copy_to_file(text, name)
        else:
            self.write(sequence)
            self.say(f"copied {name}")

    def copy_to_file(self, text: str, name: str) -> None:
        try:
            path = write_copy(self._copies, f"copy-{self.now():%Y%m%d-%H%M%S}.txt", text)
        except OSError as error:
            reason = f"{name} could not be written: {error.strerror}"
            self.refuse(Failure(reason, where=str(self._copies), remedy="make room there, or the folder writable"))
        else:
            self.say(f"{name} is in {path}")

    def action_mouse(self) -> None:
        """Without the mouse, the terminal's own selection works."""
        from tui.terminal import MOUSE_OFF, MOUSE_ON

        self._mouse = not self._mouse
        self.write(MOUSE_ON if self._mouse else MOUSE_OFF)
        self.say("the mouse works here" if self._mouse else "the mouse selects text, as in any terminal")

    def write(self, sequence: str) -> None:
        """Straight to the terminal."""
        if self._driver is not None:
            self._driver.write(sequence)

    # ---- the past ----------------------------------------------------------------------------------------------------

    def action_replay(self) -> None:
        from tui.screens.past import AskMoment

        self.push_screen(AskMoment(), lambda text: self.past.show(text) if text else None)

    def action_earlier(self) -> None:
        self.past.step(-1)

    def action_later(self) -> None:
        self.past.step(1)
