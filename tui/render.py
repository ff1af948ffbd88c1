"""Values as words, and the two ways out: rich for people, JSON for programs. Pure, except for the console itself."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TextIO

from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderHook, RenderResult
from rich.segment import Segment
from rich.table import Column, Table
from rich.text import Text

from store.wire import Interval, Outcome, RunState, Wire
from tui.figures import count as count
from tui.figures import figure as figure
from tui.figures import size as size
from tui.printable import printable
from tui.signs import OUTCOMES, STATES, Sign

Head = str | Column
Cell = str | Text
Heads = Sequence[Head]
Rows = Sequence[Sequence[Cell]]
PIPE_WIDTH: Final = 2_000
"""Columns of a line that nobody looks at: enough that nothing is cut."""

_COLOURS: Final = {"good": "green", "bad": "red", "warn": "yellow", "live": "cyan", "dim": "dim"}


def console(file: TextIO) -> Console:
    """Knows by itself whether the file is a terminal, and obeys NO_COLOR and TERM=dumb. What it shows may be anybody's
    words: none of them are taken for style, or reach the terminal as an order."""
    width = None if file.isatty() else PIPE_WIDTH
    made = Console(file=file, highlight=False, emoji=False, markup=False, width=width)
    made.push_render_hook(_Harmless())
    return made


class _Harmless(RenderHook):
    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        return [_Shown(one) for one in renderables]


@dataclass(frozen=True)
class _Shown:
    """Lines of something, without what a terminal would obey."""

    what: ConsoleRenderable

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for segment in console.render(self.what, options):
            harmless = segment.control or segment.text.isprintable()
            yield segment if harmless else Segment(_lines(segment.text), segment.style)


def _lines(text: str) -> str:
    return "\n".join(map(printable, text.split("\n")))


def as_json(answer: Wire | Sequence[Wire] | Mapping[str, Any]) -> str:
    """One document; a sequence becomes an array."""
    if isinstance(answer, Wire):
        return answer.model_dump_json(indent=2)
    if isinstance(answer, Mapping):
        return json.dumps(answer, indent=2, default=str)
    return json.dumps([item.model_dump(mode="json") for item in answer], indent=2)


def table(columns: Heads, rows: Rows, *, empty: str) -> Table | Text:
    """Plain columns without lines; `empty` is the sentence for no rows."""
    if not rows:
        return Text(empty, style="dim")
    heads = [Column(c, no_wrap=True, overflow="ellipsis") if isinstance(c, str) else c for c in columns]
    drawn = Table(*heads, box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for row in rows:
        drawn.add_row(*row)
    return drawn


def number_column(name: str) -> Column:
    return Column(name, justify="right", no_wrap=True)


def wide_column(name: str) -> Column:
    """A column of sentences: the one that gives way, by wrapping."""
    return Column(name, ratio=1, overflow="fold")


def state(word: RunState) -> Text:
    return _coloured(STATES[word], STATES[word].text)


def glyph(word: RunState) -> Text:
    return _coloured(STATES[word], STATES[word].glyph)


def outcome(word: Outcome) -> Text:
    return _coloured(OUTCOMES[word], OUTCOMES[word].text)


def _coloured(sign: Sign, text: str) -> Text:
    return Text(text, style=_COLOURS[sign.tone])


def heading(words: str) -> Text:
    return Text(words, style="bold")


def interval(value: Interval) -> str:
    """`0.7612 [0.7580, 0.7644]`."""
    return f"{value.value:.4f} [{value.low:.4f}, {value.high:.4f}]"


def share(part: float) -> str:
    """0.0125 → "1.25 %"."""
    return f"{part * 100:.3g} %" if abs(part) < 9.995 else f"{part * 100:,.0f} %"


def span(length: timedelta | float | None) -> str:
    """A duration in its one or two largest units: "3 h 20 min", "42 s", "0.3 s"."""
    if length is None:
        return "-"
    seconds = length.total_seconds() if isinstance(length, timedelta) else length
    if seconds < 10:
        return f"{max(seconds, 0.0):.1f} s"
    whole = round(seconds)
    for unit, per_unit, part, per_part in (("d", 86_400, "h", 3_600), ("h", 3_600, "min", 60), ("min", 60, "s", 1)):
        if whole >= per_unit:
            rest = whole % per_unit // per_part
            return f"{whole // per_unit} {unit}" + (f" {rest} {part}" if rest else "")
    return f"{whole} s"


def ago(moment: datetime | None, now: datetime) -> str:
    """ "5 min ago", "in 2 h"; a dash for never."""
    if moment is None:
        return "-"
    distance = now - moment
    return f"in {span(-distance)}" if distance < timedelta(0) else f"{span(distance)} ago"


def when(moment: datetime | None) -> str:
    """A moment in UTC, to the second."""
    return "-" if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
