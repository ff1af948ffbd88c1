"""How near something came to its limits: a glyph a window, whose height says as much as its colour. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from tui.rows.words import figure
from tui.table.column import Cell
from tui.text import Line, line
from tui.themes import Tone

if TYPE_CHECKING:
    from store.wire import HeatColumn, HeatView

STRIP: Final = 24
"""Windows in a strip: a day of hours."""
_STEPS: Final = ((1.0, "█"), (0.8, "▅"), (0.5, "▃"), (0.0, "▁"))
"""From which part of the limit on, glyph."""
GLYPHS: Final[Mapping[str, Tone]] = {"█": "bad", "▅": "warn", "▃": "", "▁": "dim", "·": "dim"}


def strip(levels: Sequence[float | None], width: int = STRIP) -> Cell:
    """The newest to the right; `·` where nothing was measured, a gap where there was no window yet."""
    return Cell("".join(glyph(level) for level in levels[-width:]).rjust(width))


def glyph(level: float | None) -> str:
    """Of a part of the limit."""
    if level is None:
        return "·"
    return next((sign for least, sign in _STEPS if level >= least), _STEPS[-1][1])


def worst(view: HeatView) -> list[float | None]:
    """Of all columns, window by window."""
    return [
        max((level for one in view.columns if (level := one.levels[place]) is not None), default=None)
        for place in range(len(view.windows))
    ]


def legend() -> Line:
    """What the glyphs mean."""
    return line(
        ("▁ calm  ", "dim"),
        "▃ half its limit  ",
        ("▅ near it  ", "warn"),
        ("█ at it or beyond  ", "bad"),
        ("newest right", "dim"),
    )


def deciding(column: HeatColumn) -> Cell:
    """`psi 0.31 ≥ 0.2`: the measure that decides, and its limit."""
    if column.measure is None or column.value is None or column.limit is None:
        return Cell("-", "dim")
    said = compared(SHORT.get(column.measure, column.measure), column.value, column.limit)
    return Cell(said.text, "bad") if column.state == "drifted" else said


def compared(name: str, value: float, limit: float) -> Cell:
    """A measure beside its limit."""
    reached = value >= limit
    return Cell(f"{name} {short(value)} {'≥' if reached else '<'} {short(limit)}", "warn" if reached else "dim")


SHORT: Final = {"wasserstein": "wass", "missing": "miss", "jensen_shannon": "js"}
"""What is too long for a column."""


def short(number: float) -> str:
    """Three digits at most: 0.31, 1.2, 24."""
    return figure(float(f"{number:.2g}"))
