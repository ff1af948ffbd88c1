"""The box as lines: how much of it is used, now and over the last hour. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from tui.rows.words import size
from tui.table.column import Cell
from tui.text import Line, line
from tui.themes import Tone

if TYPE_CHECKING:
    from store.wire import BoxHistoryView, BoxView

MINUTES: Final = 60
EVERY_SECONDS: Final = 10.0
"""The box is drawn at most so often."""
_FULL: Final = 0.9
"""From here on a figure is a warning."""
_WIDE: Final = 76


def points_for(width: int) -> int:
    """Points of a chart on a screen of this width."""
    return 20 if width < 110 else 30


def lines(now: BoxView | None, past: BoxHistoryView | None, width: int) -> list[Line]:
    """Two figures a line: CPU and memory, disk and network, the GPUs."""
    if now is None:
        return [line(("box", "dim"), ("  is not measured yet", "dim"))]
    figures = [_cpu(now, past), _memory(now, past), _disk(now), _network(now, past), *_gpus(now, past)]
    if width < _WIDE:
        return figures
    half = width // 2
    pairs = [figures[index : index + 2] for index in range(0, len(figures), 2)]
    return [_beside(pair, half) for pair in pairs]


def level(values: Sequence[float | None], top: float, width: int) -> str:
    """A line of eight heights between nothing and `top`: a calm box stays flat."""
    shown = list(values)[-width:]
    drawn = "".join(" " if v is None else "▁▂▃▄▅▆▇█"[min(7, max(0, int(v / top * 8)))] for v in shown)
    return drawn.rjust(width)


def rate(number: float | None) -> str:
    """Bytes a second."""
    return "-" if number is None else f"{size(round(number))}/s"


def _beside(figures: Sequence[Line], half: int) -> Line:
    first = figures[0]
    length = sum(len(cell.text) for cell in first)
    if len(figures) == 1:
        return first
    return (*first, Cell(" " * max(2, half - length)), *figures[1])


def _row(name: str, chart: str, words: str, part: float | None, room: int) -> Line:
    tone: Tone = "warn" if part is not None and part >= _FULL else ""
    return line((f"{name:<6}", "dim"), (chart, "live"), "  ", (words.ljust(room), tone))


def _cpu(now: BoxView, past: BoxHistoryView | None) -> Line:
    chart = level([p.cpu_percent for p in past.points], 100, _width(past)) if past else ""
    return _row("cpu", chart, f"{now.cpu_percent:.0f}% of {now.cpu_count}", now.cpu_percent / 100, 0)


def _memory(now: BoxView, past: BoxHistoryView | None) -> Line:
    chart = level([p.memory_used for p in past.points], now.memory_total, _width(past)) if past else ""
    part = now.memory_used / now.memory_total
    return _row("memory", chart, f" {size(now.memory_used)} of {size(now.memory_total)}", part, 0)


def _disk(now: BoxView) -> Line:
    part = 1 - now.disk_free / now.disk_total
    filled = round(part * 20)
    chart = "█" * filled + "·" * (20 - filled)
    return _row("disk", chart, f"{size(now.disk_free)} free", part, 0)


def _network(now: BoxView, past: BoxHistoryView | None) -> Line:
    sums = [None if p.received is None else p.received + (p.sent or 0.0) for p in past.points] if past else []
    top = max([value for value in sums if value is not None], default=0.0)
    chart = level(sums, max(top, 1_000_000.0), _width(past)) if past else ""
    return _row("net", chart, f" ↓ {rate(now.received)}  ↑ {rate(now.sent)}", None, 0)


def _gpus(now: BoxView, past: BoxHistoryView | None) -> list[Line]:
    found = []
    for gpu in now.gpus:
        part = gpu.memory_used / gpu.memory_total if gpu.memory_total else None
        total = sum(one.memory_total for one in now.gpus)
        chart = level([p.gpu_memory for p in past.points], total, _width(past)) if past and total else ""
        words = f"{gpu.utilisation:.0f}%  {size(gpu.memory_used)} of {size(gpu.memory_total)}"
        found.append(_row(f"gpu {gpu.index}", chart, words, part, 0))
    return found


def _width(past: BoxHistoryView) -> int:
    """Points of an hour, those in which nothing was measured included."""
    return round(MINUTES * 60 / past.step_seconds)
