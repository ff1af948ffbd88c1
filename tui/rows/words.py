"""Times, figures and states as cells. What is drawn changes only when the record does: no ages that tick."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Final

from tui.table.column import Cell, Frame

if TYPE_CHECKING:
    from store.wire import Outcome, RunState

STATES: Final[Mapping[RunState, Cell]] = {
    "queued": Cell("… queued", "warn"),
    "starting": Cell("▹ starting", "live"),
    "running": Cell("▶ running", "live"),
    "succeeded": Cell("✔ succeeded", "good"),
    "skipped": Cell("○ skipped", "dim"),
    "failed": Cell("✘ failed", "bad"),
    "cancelled": Cell("■ cancelled", "warn"),
    "lost": Cell("? lost", "bad"),
    "upstream_failed": Cell("↑ upstream failed", "bad"),
}
OUTCOMES: Final[Mapping[Outcome, Cell]] = {
    "pass": Cell("✔ pass", "good"),
    "warn": Cell("! warn", "warn"),
    "fail": Cell("✘ fail", "bad"),
}
_SIZES: Final = ("B", "KB", "MB", "GB", "TB")


def clock(moment: datetime | None, frame: Frame) -> str:
    """A moment as short as it is plain: the time for today, day and time for this year, else the date."""
    if moment is None:
        return "-"
    here, now = moment.astimezone(frame.zone), frame.now.astimezone(frame.zone)
    if here.date() == now.date():
        return f"{here:%H:%M:%S}"
    return f"{here:%b %d %H:%M}" if here.year == now.year else f"{here:%Y-%m-%d}"


def stamp(moment: datetime | None, frame: Frame) -> str:
    """A moment in full, with its zone."""
    return "-" if moment is None else f"{moment.astimezone(frame.zone):%Y-%m-%d %H:%M:%S %Z}"


def count(number: float | None) -> str:
    return "-" if number is None else f"{number:,.0f}"


def about(number: float) -> str:
    """To two digits: what only grows is another one a hundred times less often."""
    return count(float(f"{number:.2g}"))


def figure(number: float | None) -> str:
    """Four significant digits; a large whole number in full."""
    if number is not None and abs(number) >= 1000 and number == int(number):
        return count(number)
    return "-" if number is None else f"{number:.4g}"


def size(number: float | None) -> str:
    """Bytes in decimal units: 1_234_567 → "1.2 MB"."""
    if number is None:
        return "-"
    scaled, unit = float(number), 0
    while scaled >= 1000 and unit < len(_SIZES) - 1:
        scaled, unit = scaled / 1000, unit + 1
    return f"{scaled:.0f} {_SIZES[unit]}" if unit == 0 or scaled >= 100 else f"{scaled:.1f} {_SIZES[unit]}"


def span(seconds: float | None) -> str:
    """A duration in its one or two largest units: "3h 20m", "42s", "0.3s"."""
    if seconds is None:
        return "-"
    if seconds < 10:
        return f"{max(seconds, 0.0):.1f}s"
    whole = round(seconds)
    for unit, per_unit, part, per_part in (("d", 86_400, "h", 3_600), ("h", 3_600, "m", 60), ("m", 60, "s", 1)):
        if whole >= per_unit:
            rest = whole % per_unit // per_part
            return f"{whole // per_unit}{unit}" + (f" {rest}{part}" if rest else "")
    return f"{whole}s"


def percent(part: float | None) -> str:
    return "-" if part is None else f"{part * 100:.3g}%"


def bar(part: float | None, width: int) -> str:
    """How full something is, in eighths of a cell."""
    if part is None:
        return ""
    eighths = round(max(0.0, min(1.0, part)) * width * 8)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (" ▏▎▍▌▋▊▉"[rest] if rest else "")).ljust(width, "·")[:width]


def spark(values: list[float | None], width: int) -> str:
    """A line of eight heights, the last `width` values; a gap for what is not a number."""
    shown = values[-width:]
    finite = [value for value in shown if value is not None]
    if not finite:
        return ""
    low, span_ = min(finite), max(finite) - min(finite)
    return "".join(" " if v is None else "▁▂▃▄▅▆▇█"[round((v - low) / span_ * 7) if span_ else 3] for v in shown)
