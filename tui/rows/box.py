"""The box as lines: how much of it is used, now and over the last hour. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from tui.rows.words import bar, size
from tui.text import Line, line
from tui.themes import Tone

if TYPE_CHECKING:
    from store.wire import BoxHistoryView, BoxView

MINUTES: Final = 60
EVERY_SECONDS: Final = 10.0
"""The box is looked at so often, and drawn where a figure changed by enough."""
EVERY_SECONDS_LITE: Final = 60.0
_FULL: Final = 0.9
"""From here on a figure is a warning."""
_BUSY_NETWORK: Final = 1_000_000.0
"""Bytes a second that fill a chart, at least: what is less is quiet."""
_NAME: Final = 9
_WORDS: Final = 19
"""Cells of the longest figure: `117.3 GB of 128 GB`."""


def every_seconds(*, lite: bool) -> float:
    return EVERY_SECONDS_LITE if lite else EVERY_SECONDS


def chart_cells(width: int) -> int:
    """Cells of a chart on a pane of `width` cells: one figure a line, or two where both charts tell something."""
    half = width // 2 - _NAME - _WORDS - 2
    return half if half >= 10 else max(6, min(40, width - _NAME - _WORDS - 2))


def lines(now: BoxView | None, past: BoxHistoryView | None, width: int, *, asking: bool = False) -> list[Line]:
    """CPU and memory, disk and network, the GPUs. `asking`: nobody has said yet whether there are figures."""
    if now is None:
        return [line(("  box     ", "dim"), ("…" if asking else "is not measured yet", "dim"))]
    cells = chart_cells(width)
    figures = [_cpu(now, past, cells), _memory(now, past, cells), _disk(now, cells), _network(now, past, cells)]
    figures += _gpus(now, past, cells)
    if width // 2 < _NAME + cells + _WORDS:
        return figures
    pairs = [figures[index : index + 2] for index in range(0, len(figures), 2)]
    return [tuple(cell for figure in pair for cell in figure) for pair in pairs]


def level(values: Sequence[float | None], top: float, width: int) -> str:
    """A line of eight heights between nothing and `top`: a calm box stays flat."""
    shown = list(values)[-width:]
    drawn = "".join(" " if v is None else "▁▂▃▄▅▆▇█"[min(7, max(0, int(v / top * 8)))] for v in shown)
    return drawn.rjust(width)[-width:]


def rate(number: float | None) -> str:
    """Bytes a second, in at most three digits."""
    if number is None:
        return "-"
    digits, unit = size(round(number)).split(" ")
    return f"{float(digits):.0f} {unit}/s" if float(digits) >= 10 else f"{digits} {unit}/s"


def _row(name: str, chart: str, words: str, part: float | None = None) -> Line:
    tone: Tone = "warn" if part is not None and part >= _FULL else ""
    return line((f"  {name}".ljust(_NAME), "dim"), (chart, "live"), "  ", (words.ljust(_WORDS), tone))


def _cpu(now: BoxView, past: BoxHistoryView | None, cells: int) -> Line:
    chart = level([p.cpu_percent for p in past.points] if past else [], 100, cells)
    return _row("cpu", chart, f"{now.cpu_percent:.0f}% of {now.cpu_count}", now.cpu_percent / 100)


def _memory(now: BoxView, past: BoxHistoryView | None, cells: int) -> Line:
    chart = level([p.memory_used for p in past.points] if past else [], now.memory_total, cells)
    part = now.memory_used / now.memory_total
    return _row("memory", chart, f"{size(now.memory_used)} of {size(now.memory_total)}", part)


def _disk(now: BoxView, cells: int) -> Line:
    part = 1 - now.disk_free / now.disk_total
    return _row("disk", bar(part, cells), f"{size(now.disk_free)} free", part)


def _network(now: BoxView, past: BoxHistoryView | None, cells: int) -> Line:
    sums = [None if p.received is None else p.received + (p.sent or 0.0) for p in past.points] if past else []
    top = max([_BUSY_NETWORK, *(value for value in sums if value is not None)])
    return _row("net", level(sums, top, cells), f"↓{rate(now.received)} ↑{rate(now.sent)}")


def _gpus(now: BoxView, past: BoxHistoryView | None, cells: int) -> list[Line]:
    """The memory of all together over time: samples do not tell them apart."""
    total = sum(gpu.memory_total for gpu in now.gpus)
    chart = level([p.gpu_memory for p in past.points] if past else [], max(1, total), cells)
    return [
        _row(
            f"gpu {gpu.index}",
            chart if number == 0 else " " * cells,
            f"{gpu.utilisation:.0f}%, {size(gpu.memory_used)} of {size(gpu.memory_total)}",
            gpu.memory_used / max(1, gpu.memory_total),
        )
        for number, gpu in enumerate(now.gpus)
    ]
