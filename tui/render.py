"""Values as words, and the two ways out: rich for people, JSON for programs. Pure, except for the console itself."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TextIO

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from store.wire import Interval, Outcome, RunState, Wire

Head = str | Column
Cell = str | Text
Heads = Sequence[Head]
Rows = Sequence[Sequence[Cell]]
PIPE_WIDTH: Final = 2_000
"""Columns of a line that nobody looks at: enough that nothing is cut."""

STATES: Final[Mapping[RunState, tuple[str, str]]] = {
    "queued": ("…", "yellow"),
    "starting": ("▹", "cyan"),
    "running": ("▶", "cyan"),
    "succeeded": ("✔", "green"),
    "skipped": ("○", "green"),
    "failed": ("✘", "red"),
    "cancelled": ("■", "yellow"),
    "lost": ("?", "red"),
    "upstream_failed": ("↑", "red"),
}
"""State → glyph and colour; the word always stands beside them, so neither carries meaning alone."""
OUTCOMES: Final[Mapping[Outcome, tuple[str, str]]] = {
    "pass": ("✔", "green"),
    "warn": ("!", "yellow"),
    "fail": ("✘", "red"),
}
_SIZES: Final = ("B", "KB", "MB", "GB", "TB")


def console(file: TextIO) -> Console:
    """Knows by itself whether the file is a terminal, and obeys NO_COLOR and TERM=dumb."""
    terminal = file.isatty()
    return Console(file=file, highlight=False, emoji=False, width=None if terminal else PIPE_WIDTH)


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
    glyph, colour = STATES[word]
    return Text(f"{glyph} {word}", style=colour)


def outcome(word: Outcome) -> Text:
    glyph, colour = OUTCOMES[word]
    return Text(f"{glyph} {word}", style=colour)


def heading(words: str) -> Text:
    return Text(words, style="bold")


def count(number: float | None) -> str:
    """1234567 → "1,234,567"; a missing number is a dash."""
    return "-" if number is None else f"{number:,.0f}"


def figure(number: float | None) -> str:
    """Four significant digits; a whole number in full, "15,326"."""
    if number is not None and abs(number) >= 1000 and number == int(number):
        return count(number)
    return "-" if number is None else f"{number:.4g}"


def interval(value: Interval) -> str:
    """`0.7612 [0.7580, 0.7644]`."""
    return f"{value.value:.4f} [{value.low:.4f}, {value.high:.4f}]"


def share(part: float) -> str:
    """0.0125 → "1.25 %"."""
    return f"{part * 100:.3g} %"


def size(number: int | None) -> str:
    """Bytes in decimal units: 1_234_567 → "1.2 MB"."""
    if number is None:
        return "-"
    scaled, unit = float(number), 0
    while scaled >= 1000 and unit < len(_SIZES) - 1:
        scaled, unit = scaled / 1000, unit + 1
    return f"{scaled:.0f} {_SIZES[unit]}" if unit == 0 or scaled >= 100 else f"{scaled:.1f} {_SIZES[unit]}"


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
