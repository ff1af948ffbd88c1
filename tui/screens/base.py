"""What all screens share: the lines around the body, how they read, how news reaches them, what can be copied."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.reactive import Reactive
from textual.screen import Screen
from textual.widget import Widget

from tui.bars.notice import Notice
from tui.bars.strip import KeyStrip
from tui.bars.topline import TopLine
from tui.box import Above
from tui.glass.places import Places
from tui.keybindings import bindings
from tui.keys import ACTIONS
from tui.table import Table

if TYPE_CHECKING:
    from pydantic import BaseModel

    from store.wire import ChangesView
    from tui.app import ShedApp
    from tui.client import Client
    from tui.failure import Failure
    from tui.text import Lines

T = TypeVar("T")
_DANGEROUS = frozenset(action.name for action in ACTIONS if action.dangerous)


@dataclass(frozen=True)
class Subject:
    """What the cursor is on, for copying."""

    name: str
    command: str
    """The shell command that shows it."""
    view: BaseModel | None = None


class ShedScreen(Screen[None]):
    """A body between the first line and the strip."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("screens")
    CSS_PATH: ClassVar[str | Path | None] = Path(__file__).with_name("layout.tcss")
    AUTO_FOCUS = "Table"
    TITLE_HERE = ""
    focused: Reactive[Widget | None] = Reactive(None, repaint=False)
    """As Textual's, which paints the whole screen again whenever the focus moves."""

    def __init__(self) -> None:
        super().__init__()
        self._compositor = Places()
        self._outdated = False
        self._told_of_the_past = False

    # ---- what a screen says of itself ----------------------------------------------------------------------------

    @property
    def crumbs(self) -> Sequence[str]:
        """The way here, from the root."""
        stack = [screen for screen in self.app.screen_stack if isinstance(screen, ShedScreen)]
        return [screen.TITLE_HERE for screen in stack]

    @property
    def filter(self) -> str:
        """Of the list with the focus, else of the first that has one: that rows are left out has to be seen."""
        tables = sorted(self.query(Table), key=lambda table: table is not self.focused)
        return next((table.query_.filter for table in tables if table.query_.filter), "")

    @property
    def subject(self) -> Subject | None:
        """What `y` copies."""
        return None

    @property
    def explanation(self) -> Lines:
        """Why what the cursor is on is as it is, for `?`; empty where that goes without saying."""
        return ()

    def body(self) -> Iterable[Widget]:
        """Everything between the first line and the strip."""
        raise NotImplementedError

    def read(self) -> None:
        """Asks the daemon for what is shown. Called when the screen opens, and again when the link is back."""

    def news(self, changes: ChangesView) -> None:
        """Something changed. Called only while the screen is on top; else it reads again when it comes back."""
        self.read()

    def let_go(self) -> bool:
        """What a step back leaves before the screen itself; whether there was anything."""
        return False

    # ---- what a screen can use ------------------------------------------------------------------------------------

    @property
    def shed(self) -> ShedApp:
        return cast("ShedApp", self.app)

    def ask(
        self,
        what: str,
        put: Callable[[Client], T],
        answered: Callable[[T], None],
        refused: Callable[[Failure], None] | None = None,
    ) -> None:
        """A question in the background. `what` tells questions of this screen apart: only the newest of one counts."""
        self.shed.ask(f"{id(self)}:{what}", put, self._if_here(answered), refused=self._if_here(refused or self.refuse))

    def refuse(self, failure: Failure) -> None:
        """Shows what failed, where it was asked."""
        from tui.failure import NoDaemon

        if not isinstance(failure, NoDaemon):  # the first line says that already, with its age
            for notice in self.query(Notice):
                notice.refuse(failure)

    def on_table_counted(self, _: Table.Counted) -> None:
        self.query(TopLine).refresh()

    def on_table_refused(self, event: Table.Refused) -> None:
        """Of a list in a box too: the box has no line for it."""
        if not event.over:
            self.refuse(event.failure)
            return
        for notice in self.query(Notice):
            notice.settle(event.failure)

    def say(self, text: str, tone: Any = "", *, standing: bool = False) -> None:
        for notice in self.query(Notice):  # none while the screen is still being made
            notice.say(text, tone, standing=standing)

    def tell_of_the_past(self, words: str) -> None:
        """At a time in the past, what of this screen is not kept (or nothing); unsaid when it is now again."""
        told, self._told_of_the_past = self._told_of_the_past, bool(words) and self.shed.moment is not None
        if self._told_of_the_past:
            self.say(words, "warn", standing=True)
        elif told:
            for notice in self.query(Notice):
                notice.hush()

    def tell_of_the_cut(self) -> None:
        """That the daemon is away, and what to do: when it goes, and on each screen that is opened meanwhile."""
        if self.shed.cut is not None:
            for notice in self.query(Notice):
                notice.refuse(self.shed.cut)

    def _if_here(self, then: Callable[[T], None]) -> Callable[[T], None]:
        """An answer that comes after its screen was closed is nobody's."""
        return lambda answer: then(answer) if self.is_mounted and self.is_attached else None

    def action_undo(self) -> None:
        """The inverse of what was done last, as a plan."""
        if self.shed.undo is None:
            self.say("nothing was done here that can be taken back", "warn")
        else:
            self.ask("undo", self.shed.undo, self.shed.propose)

    # ---- inside -----------------------------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        # Before there are parts: Textual finds out after they are laid out, and styles each of them a second time.
        self.add_class(max(edge for edge in self.shed.HORIZONTAL_BREAKPOINTS if edge[0] <= self.shed.size.width)[1])
        yield TopLine()
        yield KeyStrip()
        yield Notice()
        yield from self.body()
        yield Above()

    def on_mount(self) -> None:
        self.read()
        self.tell_of_the_cut()

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        event.refresh_styles = False  # every part has its style since it was made; a theme that is put on sees to all
        if self._outdated:
            self._outdated = False
            for table in self.query(Table):
                if not table.source.local:  # it reads its rows by itself, and has heard of nothing
                    table.reread()
            self.read()

    def outdate(self) -> None:
        """News came while another screen was on top."""
        self._outdated = True

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Under --read-only, and in the past, nothing that changes anything is there."""
        return not (action in _DANGEROUS and (self.shed.settings.read_only or self.shed.moment is not None))

    def relink(self) -> None:
        """The daemon is back: nothing on screen is certain."""
        for table in self.query(Table):
            table.reread()
        self.read()
