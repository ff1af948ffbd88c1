"""Times, figures and states as cells. What is drawn changes only when the record does: no ages that tick."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from tui import signs
from tui.figures import about as about
from tui.figures import count as count
from tui.figures import figure as figure
from tui.figures import size as size
from tui.table.column import Cell, Frame

STATES: Final = {state: Cell(sign.text, sign.tone) for state, sign in signs.STATES.items()}
OUTCOMES: Final = {outcome: Cell(sign.text, sign.tone) for outcome, sign in signs.OUTCOMES.items()}
SEVERITIES: Final = {severity: Cell(sign.text, sign.tone) for severity, sign in signs.SEVERITIES.items()}
ALERTS: Final = {state: Cell(sign.text, sign.tone) for state, sign in signs.ALERTS.items()}
DRIFT: Final = {state: Cell(sign.text, sign.tone) for state, sign in signs.DRIFT.items()}


def clock(moment: datetime | None, frame: Frame) -> str:
    """A moment as short as it is plain: the time for today, day and time for this year, else the date."""
    if moment is None:
        return "-"
    here, now = moment.astimezone(frame.zone), frame.now.astimezone(frame.zone)
    if here.date() == now.date():
        return f"{here:%H:%M:%S}"
    return f"{here:%b %d %H:%M}" if here.year == now.year else f"{here:%Y-%m-%d}"


def since_epoch(moment: datetime | None) -> float | None:
    """What a column of moments is sorted by: as they are drawn, `14:05:00` comes before `Dec 31 10:00`."""
    return None if moment is None else moment.timestamp()


def stretch(start: datetime, end: datetime, frame: Frame) -> str:
    """From a moment to another, as short as it is plain: the day, and the second day only if it is another."""
    here, there = start.astimezone(frame.zone), end.astimezone(frame.zone)
    day = "%b %d" if here.year == there.year == frame.now.astimezone(frame.zone).year else "%Y-%m-%d"
    time = "%H:%M:%S" if here.second or there.second else "%H:%M"
    return f"{here:{day} {time}} to {there:{time if here.date() == there.date() else f'{day} {time}'}}"


def stamp(moment: datetime | None, frame: Frame) -> str:
    """A moment in full, with its zone."""
    return "-" if moment is None else f"{moment.astimezone(frame.zone):%Y-%m-%d %H:%M:%S %Z}"


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
    """Three digits; 12.5 is 1,250%, and not 1.25e+03%."""
    if part is None:
        return "-"
    return f"{part * 100:.3g}%" if abs(part) < 9.995 else f"{part * 100:,.0f}%"


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
