"""What a run printed: followed, searched, wrapped, copied; a gigabyte opens like a line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Input, Static

from tui.bars.typing import Bar
from tui.log.needle import ignores_case
from tui.log.reading import Place, pieces
from tui.log.tail import Grew, Tail
from tui.log.view import LogView
from tui.rows.log import standing
from tui.rows.past import LOG
from tui.screens.base import ShedScreen, Subject
from tui.text import Lines, content

if TYPE_CHECKING:
    from store.wire import ChangesView, LogHit, RunDetail


class LogScreen(ShedScreen):
    BINDINGS: ClassVar[list[BindingType]] = []
    AUTO_FOCUS = "LogView"

    def __init__(self, run: str, attempt: str | None = None, stream: str = "stdout") -> None:
        super().__init__()
        self.place = Place(int(run), stream, int(attempt) if attempt is not None else None)
        self.attempts = 0
        self._tail: Tail | None = None
        self._hit: LogHit | None = None
        self._said: Lines = []

    @property
    def TITLE_HERE(self) -> str:  # type: ignore[override]  # a name that is known from the start
        return f"Log of run {self.place.run}"

    @property
    def subject(self) -> Subject | None:
        return Subject(f"run {self.place.run}", self.place.command)

    @property
    def view(self) -> LogView:
        return self.query_one(LogView)

    def body(self) -> Iterable[Widget]:
        yield Static("", id="log-head")
        yield LogView(self.place)

    def read(self) -> None:
        self.tell_of_the_past(LOG)
        self.ask("run", lambda daemon: daemon.run(self.place.run), self._show)
        self._follow()

    def news(self, changes: ChangesView) -> None:
        """The tail brings what is new; here only a new attempt is."""
        if any(run.id == self.place.run and run.attempt != self.attempts for run in changes.runs):
            self.ask("run", lambda daemon: daemon.run(self.place.run), self._show)

    def _show(self, detail: RunDetail) -> None:
        before, self.attempts = self.attempts, len(detail.attempts)
        if 0 < before < self.attempts and self.place.attempt is None:
            self._go_on(before)
        self._head()

    def _go_on(self, before: int) -> None:
        """The run is tried anew, and the new try has a log of its own: who follows goes along, who reads stays."""
        if self.view.following:
            self._open(self.place)
            self.say(f"try {self.attempts} has begun; t shows the one before", "warn")
        else:
            self.place = self.view.place = replace(self.place, attempt=before)
            self.say(f"try {self.attempts} has begun; this is the log of try {before}, t shows others", "warn")
            self._follow()

    def _head(self) -> None:
        view = self.view
        lines = standing(self.place, self.attempts, view.piece, view.top_offset, view.following, view.needle)
        if lines != self._said:
            self._said = lines
            self.query_one("#log-head", Static).update(content(lines))

    def on_log_view_stood(self, _: LogView.Stood) -> None:
        if self._tail is None and self.view.loaded:
            self._follow()
        self._head()

    # ---- the tail ----------------------------------------------------------------------------------------------------

    def _follow(self) -> None:
        """From the end of what is here; an old tail says its last word to nobody."""
        self._let_go()
        if self.view.loaded:
            self._tail = self.shed.tail(self.place, self.view.piece.size, self.post_message)

    def _let_go(self) -> None:
        if self._tail is not None:
            self._tail.stop()
            self._tail = None

    def on_grew(self, message: Grew) -> None:
        if message.tail is self._tail and not self.shed.held:
            self.view.grow(message.chunk)

    def on_unmount(self) -> None:
        self._let_go()

    # ---- keys --------------------------------------------------------------------------------------------------------

    def on_log_view_wanted(self, event: LogView.Wanted) -> None:
        match event.what:
            case "search":
                self.shed.type_into(SearchBar(self))
            case "next":
                self._search(backwards=False)
            case "before":
                self._search(backwards=True)
            case "stream":
                self._open(replace(self.place, stream="stderr" if self.place.stream == "stdout" else "stdout"))
            case "attempt":
                self._other_attempt()
            case "pager":
                self._page()

    def _open(self, place: Place) -> None:
        self.place, self._hit = place, None
        self._let_go()
        self.view.open(place)

    def _other_attempt(self) -> None:
        """The one before, and from the first to the last."""
        if self.attempts < 2:
            self.say("it was tried only once")
            return
        now = self.place.attempt or self.attempts
        self._open(replace(self.place, attempt=now - 1 if now > 1 else self.attempts))

    def find(self, text: str) -> None:
        """From the top of the screen on; who follows the end is shown the last place."""
        view = self.view
        view.needle, self._hit = text, None
        view.refresh()
        if text:
            self._search(backwards=view.following)
        self._head()

    def _search(self, *, backwards: bool) -> None:
        view, place = self.view, self.place
        text = view.needle
        if not text:
            self.shed.type_into(SearchBar(self))
            return
        start: int | None = view.top_offset
        if self._hit is not None:
            start = self._hit.line_offset if backwards else self._hit.next_line
        elif view.following:
            start = None
        self.ask(
            "search",
            lambda daemon: daemon.search_log(
                place.run,
                place.stream,
                text,
                start=start,
                backward=backwards,
                ignore_case=ignores_case(text),
                attempt=place.attempt,
            ),
            lambda found: self._found(found, backwards),
        )

    def _found(self, hit: LogHit, backwards: bool) -> None:
        if hit.offset is not None:
            self._hit = hit
            self.view.go_to(hit.offset)
        elif backwards:
            self.say(f"{self.view.needle} does not stand before this place; n searches forwards", "warn")
        else:
            self.say(f"{self.view.needle} does not stand after this place; N searches backwards", "warn")
        self._head()

    def _page(self) -> None:
        """$PAGER gets harmless text, as much as it reads."""
        from tui.log.pager import page

        place, start = self.place, self.view.top_offset
        page(self.shed, lambda daemon: pieces(daemon, place, start))


class SearchBar(Bar):
    """A text to be found in the log."""

    BINDINGS = [Binding("escape", "close", "close", show=True)]

    def __init__(self, screen: LogScreen) -> None:
        asked = "a text, or re:PATTERN; capitals count if there are any"
        super().__init__(screen.view.needle, placeholder=asked, compact=True)
        self.cursor_blink = False
        self._log_screen = screen

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_close()
        self._log_screen.find(event.value)

    def action_close(self) -> None:
        self._log_screen.view.focus()
        self.remove()

    def on_blur(self) -> None:
        self.remove()
