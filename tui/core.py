"""The terminal UI without its keys: the doors to daemon and disk, what screens use, how news reaches them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from textual.dom import DOMNode
from textual.message import Message

from tui.box import Box, open_box
from tui.clipboard import osc52, write_copy
from tui.crash import report
from tui.desk import Desk
from tui.failure import Failure, NoDaemon, Usage
from tui.feed import Feed
from tui.glass.app import SparingApp
from tui.link import Link
from tui.messages import Changed, Cut, Linked
from tui.past import Past
from tui.screens import DETAILS, detail_screen
from tui.screens.base import ShedScreen
from tui.settings import UiSettings, theme_for
from tui.table import Frame, Table
from tui.themes import THEMES, Tone
from tui.widths import Widths

if TYPE_CHECKING:
    from store.wire import StatusView
    from tui.charts.plot import Style
    from tui.client import Client
    from tui.log.reading import Place
    from tui.log.tail import Tail
    from tui.plan import Proposal

T = TypeVar("T")
_REMEMBERED: Final = 200


class ShedCore(SparingApp):
    """Every door to the outside is an argument, so tests give a daemon of their own."""

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
        dark: bool | None = None,
        slow: bool = False,
        keep: Callable[[Widths], None] = lambda _: None,
    ) -> None:
        """`connect` makes a client, in threads. `copies`: the folder for copied texts and crash reports. `keep` writes
        the widths of columns; raises OSError and Usage.

        `dark`: what the terminal says of its ground, None if it does not; `slow`: it answered late.
        """
        self.DEFAULT_MODE = start  # type: ignore[misc]  # or Textual makes, styles and paints a screen of its own first
        super().__init__()
        self.settings = settings
        self.title_of_shed = title
        self.link = Link()
        self.past = Past(self)
        self.cut: NoDaemon | None = None
        """Why the daemon cannot be heard, while it cannot."""
        self.held = False
        self.held_back = False
        """Whether news came while the picture was held."""
        self.mouse = settings.mouse
        self.widths = {table: dict(columns) for table, columns in settings.widths.items()}
        self._keep = keep
        self.status: StatusView | None = None
        self.done: deque[tuple[datetime, str]] = deque(maxlen=_REMEMBERED)
        self.undo: Callable[[Client], Proposal] | None = None
        """Plans the inverse of what was done last; None where it has none."""
        self.crash_report: Path | None = None
        self.environ = environ
        self._copies = copies
        self.now = now
        self._slow = slow
        self.before: str | None = None
        """The mode before this one."""
        self._last_actions: deque[str] = deque(maxlen=20)
        self.connect = connect
        self._desk = Desk(connect, self.call_later)
        self._feed = Feed(connect, self.post_message, now, pace=settings.pace)
        for theme in THEMES.values():
            self.register_theme(theme)
        self.theme = theme_for(settings, dark=dark)
        self.stylesheet.set_variables(self.get_css_variables())
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
        """No question to the daemon is under way, and what follows a cursor has followed it."""
        return self._desk.idle and not any(table.rest.moving for table in self.screen.query(Table))

    @property
    def chart_style(self) -> Style:
        """What curves are drawn with here."""
        from tui.charts.style import style_for

        return style_for(self.environ, lite=self.settings.lite)

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

        self.open_box(PlanBox(proposal), lambda done: then() if done else None)

    def open_box(self, box: Box[T], then: Callable[[T | None], object] = lambda _: None) -> None:
        """A box over the screen; `then` hears what it closed with, or None."""
        top = self.top
        if top is not None and not top.query(Box):
            open_box(box, top, then)

    def tail(self, place: Place, offset: int, deliver: Callable[[Message], object]) -> Tail:
        """Follows a log in the background, until it is stopped."""
        from tui.log.tail import Tail

        tail = Tail(self.connect, deliver, place, offset, pace=self.settings.pace)
        tail.start()
        return tail

    def did(self, command: str, undo: Callable[[Client], Proposal] | None = None) -> None:
        """Remembers the shell command of something that was done here, and how it would be taken back."""
        self.done.append((self.now(), command))
        self.undo = undo

    def keep_widths(self, table: str, widths: Mapping[str, int]) -> None:
        """Columns of a table have these widths from now on, also when the UI is opened again."""
        self.widths[table] = dict(widths)
        try:
            self._keep(self.widths)
        except Usage as failure:
            self.refuse(failure)
        except OSError as error:
            self.say(f"the width is not kept for the next time: {error}", "warn")

    def say(self, text: str, tone: Tone = "") -> None:
        """A line on the screen, or on the one under the box that is open."""
        top = self.top
        if top is not None:
            top.say(text, tone)

    def refuse(self, failure: Failure) -> None:
        top = self.top
        if top is not None:
            top.refuse(failure)

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

    def write(self, sequence: str) -> None:
        """Straight to the terminal."""
        if self._driver is not None:
            self._driver.write(sequence)

    def open(self, kind: str, *words: str) -> None:
        """The screen of one object, on top of this one."""
        if kind in DETAILS:
            self.push_screen(detail_screen(kind, *words))

    def go_to(self, mode: str) -> None:
        if mode != self.current_mode:
            self.before = self.current_mode
            self.switch_mode(mode)

    def wear(self, theme: str) -> None:
        self.theme = theme

    def run_binding(self, action: str, node: DOMNode) -> None:
        """Does what a key on a node would do, if that is still there when its turn comes."""

        async def run() -> None:
            if node is self or self.screen in node.ancestors_with_self:
                await self.run_action(action, node)

        self.call_later(run)

    def read_again(self) -> None:
        """Everything that is open is as of another time, or of a daemon that was away."""
        for screen in self.open_screens():
            if screen is self.top:
                screen.relink()
                screen.refresh_bindings()
            else:
                screen.outdate()

    # ---- life --------------------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        if self._slow and not self.settings.lite:
            self.call_after_refresh(self.say, "this link is slow: `trainshed --lite` sends less, and seldom", "warn")

    def first_picture(self) -> None:
        """Now the way to the daemon is loaded, in threads."""
        self._desk.open()
        self._feed.start()

    def on_resize(self) -> None:
        """Textual would leave an open box as wide as it was."""
        for box in self.screen.query(Box):
            box.refresh(layout=True)

    def on_unmount(self) -> None:
        self._feed.stop()
        self._desk.close()

    def on_linked(self, message: Linked) -> None:
        again = self.link.state == "cut"
        self.status = message.status
        self.cut = None
        self.stand(Link("live"))
        self.read_again()
        if again:
            self.say("the daemon is back", "good")

    def on_changed(self, message: Changed) -> None:
        if self.moment is not None:
            return
        if self.held:
            self.held_back = True
            return
        for screen in self.open_screens():
            if screen is self.top:
                screen.news(message.changes)
            else:
                screen.outdate()

    def on_cut(self, message: Cut) -> None:
        self.stand(Link("cut", message.since))
        if self.status is None:
            for screen in self.open_screens():
                for table in screen.query(Table):
                    table.failed(message.failure)
        self.cut = message.failure if isinstance(message.failure, NoDaemon) else None
        if self.top is not None:
            self.top.tell_of_the_cut()

    def stand(self, link: Link) -> None:
        """How the UI stands to the daemon from now on; the past is the past until it is left."""
        self.link = link if self.moment is None else Link("past", self.moment)
        for screen in self.open_screens():
            screen.query("TopLine").refresh()

    def open_screens(self) -> list[ShedScreen]:
        """Every screen that is open, in any mode."""
        return [screen for stack in self._screen_stacks.values() for screen in stack if isinstance(screen, ShedScreen)]

    @property
    def top(self) -> ShedScreen | None:
        """The topmost screen that is not a box."""
        return next((screen for screen in reversed(self.screen_stack) if isinstance(screen, ShedScreen)), None)

    async def run_action(self, action: Any, *rest: Any, **more: Any) -> bool:
        """As Textual's; a crash report says what was done last."""
        self._last_actions.append(str(action))
        return await super().run_action(action, *rest, **more)

    def _handle_exception(self, error: Exception) -> None:
        """A fault of ours: a report instead of a traceback on the operator's terminal."""
        if self.crash_report is None and not self.is_headless:
            try:
                self.crash_report = report(error, list(self._last_actions), self._copies, self.now())
            except OSError:  # a full disk, perhaps: then the traceback is all there is
                super()._handle_exception(error)
                return
            self._return_code = 1
            self.exit(1)
            return
        super()._handle_exception(error)
