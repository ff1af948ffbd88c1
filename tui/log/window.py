"""A window on a log. It asks for pieces as they come into view and draws the lines that are on screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from rich.segment import Segment
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.log.needle import hits
from tui.log.parts import cut
from tui.log.piece import BYTES, Chunk, Piece
from tui.log.plain import wrapped
from tui.log.reading import Place, read
from tui.table.column import Cell
from tui.toned import Toned

if TYPE_CHECKING:
    from textual import events

    from tui.app import ShedApp
    from tui.failure import Failure

Row = tuple[Cell, ...]


class Stood(Message, namespace="log_view"):
    """What is shown is another part, or stands otherwise to the file."""


class LogWindow(ScrollView, Toned):
    """Lines of one stream of one attempt."""

    DEFAULT_CSS = "LogWindow { height: 1fr; background: $background; scrollbar-size: 1 1; }"

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place
        self.piece = Piece()
        self.following = True
        self.wrap = False
        self.needle = ""
        self.failure: Failure | None = None
        self.loaded = False
        self._rows: list[Row] = []
        self._row_of: list[int] = []
        """Row at which each line begins, when lines are wrapped."""
        self._era = 0

    @property
    def shed(self) -> ShedApp:
        return cast("ShedApp", self.app)

    @property
    def top_offset(self) -> int:
        """Byte of the log at the top of the screen."""
        line = self._line_of(self.scroll_offset.y)
        return self.piece.starts[line] if line < len(self.piece.starts) else self.piece.end

    @property
    def in_view(self) -> list[str]:
        """The lines on screen."""
        first = self.scroll_offset.y
        return ["".join(cell.text for cell in row) for row in self._rows[first : first + self.size.height]]

    # ---- reading -----------------------------------------------------------------------------------------------------

    def open(self, place: Place) -> None:
        """Another log, from its end."""
        self.place = place
        self.loaded = False
        self.go_end()

    def go_end(self) -> None:
        self._read(-BYTES, lambda: self._to(len(self._rows)))

    def go_start(self) -> None:
        self.following = False
        if self.piece.at_start and self.loaded:
            self._to(0)
        else:
            self._read(0, lambda: self._to(0))

    def go_to(self, offset: int) -> None:
        """The line of a byte, in the middle of the screen."""
        self.following = False
        if self.piece.line_at(offset) is not None:
            self._show_line(offset)
        else:
            self._read(max(0, offset - BYTES // 2), lambda: self._show_line(offset))

    def _show_line(self, offset: int) -> None:
        line = self.piece.line_at(offset)
        if line is not None:
            self._to(self._first_row(line) - self.size.height // 2)

    def _read(self, offset: int, then: object) -> None:
        self._era += 1
        era, place = self._era, self.place

        def came(chunk: Chunk) -> None:
            if era == self._era:
                self.loaded, self.failure = True, None
                self.piece.put(chunk)
                self._measure()
                assert callable(then)
                then()
                self.post_message(Stood())

        self.shed.ask(f"{id(self)}:read", lambda daemon: read(daemon, place, offset), came, refused=self._refused)

    def _refused(self, failure: Failure) -> None:
        self.failure = failure
        self.refresh()

    def _want(self) -> None:
        """Asks for what is before or behind, when the view comes near an end of what is here."""
        if not self.loaded:
            return
        piece, era, place = self.piece, self._era, self.place
        near = self.size.height * 2
        if self.scroll_offset.y < near and not piece.at_start:
            start = max(piece.first, piece.start - BYTES)
            limit = piece.start - start
            self.shed.ask(
                f"{id(self)}:before", lambda daemon: read(daemon, place, start, limit), lambda c: self._before(era, c)
            )
        elif self.scroll_offset.y + self.size.height > len(self._rows) - near and not piece.at_end:
            end = piece.end
            self.shed.ask(f"{id(self)}:behind", lambda daemon: read(daemon, place, end), lambda c: self._behind(era, c))

    def _before(self, era: int, chunk: Chunk) -> None:
        if era == self._era:
            came = self.piece.prepend(chunk)
            self._measure()
            self._to(self.scroll_offset.y + self._first_row(came))
            self.post_message(Stood())

    def _behind(self, era: int, chunk: Chunk) -> None:
        if era != self._era:
            return
        if chunk.start > self.piece.end:  # what stood between was let go of by the size cap: on with the oldest left
            self.piece.put(chunk)
            self._measure()
            self._to(0)
        else:
            self._append(chunk)

    def grow(self, chunk: Chunk) -> None:
        """What the tail told. Not following, only the size of the log is news."""
        if self.following and chunk.start != self.piece.end:
            self.piece.put(chunk)
            self._measure()
            self._to(len(self._rows))
        elif self.following or self.piece.at_end:
            self._append(chunk)
        else:
            self.piece.size = max(self.piece.size, chunk.size)
        self.post_message(Stood())

    def _append(self, chunk: Chunk) -> None:
        top, rows = self.scroll_offset.y, len(self._rows)
        gone = self.piece.append(chunk)
        self._measure(added_only=not gone and not self.wrap)
        lost = gone if not self.wrap else max(0, rows - len(self._rows))
        self._to(len(self._rows) if self.following else top - lost)

    # ---- drawing -----------------------------------------------------------------------------------------------------

    def _measure(self, *, added_only: bool = False) -> None:
        """Lines as rows of the screen."""
        width = max(self.size.width, 2)
        if self.wrap:
            self._rows, self._row_of = [], []
            for line in self.piece.lines:
                self._row_of.append(len(self._rows))
                self._rows += wrapped(line, width)
        else:
            self._rows = self.piece.lines
        longest = width if self.wrap else max((sum(len(c.text) for c in line) for line in self._rows), default=1)
        if added_only:
            longest = max(longest, self.virtual_size.width)
        self.virtual_size = Size(longest, len(self._rows))
        self.refresh()

    def _first_row(self, line: int) -> int:
        return self._row_of[line] if self.wrap and line < len(self._row_of) else min(line, len(self._rows))

    def _line_of(self, row: int) -> int:
        from bisect import bisect_right

        return max(0, bisect_right(self._row_of, row) - 1) if self.wrap else row

    def _to(self, row: int) -> None:
        row = max(0, min(row, len(self._rows) - self.size.height))
        self.scroll_to(y=row, animate=False, immediate=True, force=True)
        self._want()

    def on_mount(self) -> None:
        self.go_end()

    def on_resize(self, _: events.Resize) -> None:
        self._measure()
        if self.following:
            self._to(len(self._rows))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._want()
        self.post_message(Stood())

    def render_line(self, y: int) -> Strip:
        row = self.scroll_offset.y + y
        plain = self.toned()
        if row >= len(self._rows):
            return self._below(y).crop_extend(0, self.size.width, plain)
        strip = Strip(self._segments(self._rows[row]))
        x = self.scroll_offset.x
        return strip.crop(x, x + self.size.width).extend_cell_length(self.size.width, plain)

    def _segments(self, row: Row) -> list[Segment]:
        spans = hits("".join(cell.text for cell in row), self.needle)
        found: list[Segment] = []
        place = 0
        for cell in row:
            look = self.toned(cell.tone)
            for text, hit in cut(cell.text, place, spans):
                found.append(Segment(text, self.toned("hit") if hit else look))
            place += len(cell.text)
        return found

    def _below(self, y: int) -> Strip:
        if self._rows or y not in (1, 2):
            return Strip([])
        if self.failure is not None:
            text, tone = ((f"✘ {self.failure.what}", "bad"), (f"→ {self.failure.remedy}", ""))[y - 1]
        else:
            text = ("nothing was printed" if self.loaded else "… asking the daemon") if y == 1 else ""
            tone = "dim"
        return Strip([Segment(f"  {text}", self.toned(tone))])
