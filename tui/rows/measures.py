"""Measured values with what is known of their certainty, and which way they went."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tui.table.column import Cell

if TYPE_CHECKING:
    from store.wire import Interval

_USUAL, _MOST_DECIMALS = 4, 6


def decimals(width: float) -> int:
    """Digits after the point for an interval of this width: four, as metrics between 0 and 1 are read, unless it is
    so narrow, or of numbers so large, that three of its digits would not be seen, or many be noise."""
    if not math.isfinite(width) or width <= 0 or 0.001 <= width < 1:
        return _USUAL
    return max(0, min(_MOST_DECIMALS, 2 - math.floor(math.log10(width))))


def interval(found: Interval | None) -> str:
    """`0.7612 [0.7580, 0.7644]`."""
    if found is None:
        return "-"
    places = decimals(found.high - found.low)
    return f"{found.value:.{places}f} [{found.low:.{places}f}, {found.high:.{places}f}]"


def difference(found: Interval) -> str:
    """`+0.0164 [+0.0123, +0.0205]`."""
    places = decimals(found.high - found.low)
    return f"{found.value:+.{places}f} [{found.low:+.{places}f}, {found.high:+.{places}f}]"


def judged(metric: str, found: Interval) -> Cell:
    """Whether a difference is one at all: only where the whole interval is on one side of nothing."""
    from store.wire import SMALLER_IS_BETTER

    low, high = (-found.high, -found.low) if metric in SMALLER_IS_BETTER else (found.low, found.high)
    if low > 0:
        return Cell("▲ better", "good")
    return Cell("▼ worse", "bad") if high < 0 else Cell("≈ same", "dim")


def chance(p_value: float | None) -> str:
    """`p = 0.14`, `p < 0.0001`."""
    if p_value is None:
        return ""
    return "p < 0.0001" if p_value < 0.0001 else f"p = {p_value:.2g}"
