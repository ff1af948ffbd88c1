"""What an endpoint answered over time, as lines of blocks and as curves. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from tui.charts.series import Curve
from tui.rows.box import level
from tui.rows.serving import Endpoint, short, window
from tui.rows.words import percent
from tui.table.column import Frame
from tui.text import Line, line
from tui.themes import Tone

if TYPE_CHECKING:
    from store.wire import ServingPoint, ServingSeries

GAP_SECONDS: Final = 150.0
"""At rest there is a point a minute: where there is none for longer, nothing was counted."""
_NAME: Final = 9
_WORDS: Final = 26


def figures(endpoint: Endpoint | None, minutes: int, width: int) -> list[Line]:
    """A line a figure of the endpoint under the cursor: its name, what it was, what it is now."""
    leading = endpoint.leading if endpoint is not None else None
    if endpoint is None or leading is None:
        return []
    cells, points = max(10, min(60, width - _NAME - _WORDS - 4)), leading.points
    rates, slow = [p.rps for p in points], [p.p95_ms for p in points]
    failing = [p.errors / p.requests if p.requests else 0.0 for p in points]
    drawn: list[tuple[str, Sequence[float | None], str, Tone]] = [
        ("req/s", rates, f"{short(endpoint.rps)} in the last minute", "live"),
        ("p95 ms", slow, f"{short(endpoint.lately.p95_ms if endpoint.lately else None)} of v{leading.version}", "live"),
        ("errors", failing, f"{percent(endpoint.failing)} of requests", "bad"),
    ]
    lines = [
        line((f"  {name}".ljust(_NAME + 2), "dim"), (_level(values, cells), tone), "  ", words)
        for name, values, words, tone in drawn
    ]
    return [line((f"  {endpoint.model}, the last {window(minutes)}", "dim")), *lines]


def _level(values: Sequence[float | None], cells: int) -> str:
    top = max((value for value in values if value is not None), default=0.0) or 1.0
    return level(_each(values, cells), top, cells)


def _each(values: Sequence[float | None], cells: int) -> list[float | None]:
    """At most so many, the highest of neighbours."""
    if len(values) <= cells:
        return list(values)
    found: list[float | None] = []
    for cell in range(cells):
        part = values[cell * len(values) // cells : (cell + 1) * len(values) // cells]
        found.append(max((value for value in part if value is not None), default=None))
    return found


def rate_curves(endpoint: Endpoint, frame: Frame) -> list[Curve]:
    """Requests a second of each version, and errors a second of all."""
    midnight = _midnight(endpoint, frame)
    found = endpoint.versions
    curves = [_curve(f"v{one.version} req/s", one, midnight, lambda p: p.rps) for one in found]
    for one in found:
        if any(point.errors for point in one.points):
            curves.append(_curve(f"v{one.version} errors/s", one, midnight, _errors_a_second))
    return curves


def time_curves(endpoint: Endpoint, frame: Frame) -> list[Curve]:
    """p50, p95 and p99 of the version that answers; of several, p95 of each beside its p50."""
    midnight, found = _midnight(endpoint, frame), endpoint.versions
    if len(found) == 1:
        return [
            _curve("p50 ms", found[0], midnight, lambda p: p.p50_ms),
            _curve("p95 ms", found[0], midnight, lambda p: p.p95_ms),
            _curve("p99 ms", found[0], midnight, lambda p: p.p99_ms),
        ]
    return [
        curve
        for one in found
        for curve in (
            _curve(f"v{one.version} p95 ms", one, midnight, lambda p: p.p95_ms),
            _curve(f"v{one.version} p50 ms", one, midnight, lambda p: p.p50_ms),
        )
    ]


def _errors_a_second(point: ServingPoint) -> float:
    return point.errors / point.seconds if point.seconds else 0.0


def _midnight(endpoint: Endpoint, frame: Frame) -> datetime | None:
    """Of the first day that is drawn: times of day are counted from there."""
    first = min((one.points[0].at for one in endpoint.versions if one.points), default=None)
    if first is None:
        return None
    return first.astimezone(frame.zone).replace(hour=0, minute=0, second=0, microsecond=0)


def _curve(
    label: str, series: ServingSeries, midnight: datetime | None, value: Callable[[ServingPoint], float | None]
) -> Curve:
    curve = Curve(label)
    before: datetime | None = None
    for point in series.points:
        assert midnight is not None
        seconds = (point.at - midnight).total_seconds()
        if before is not None and (point.at - before).total_seconds() > GAP_SECONDS + point.seconds:
            curve.add(seconds - 1.0, seconds - 1.0, None)
        curve.add(seconds, seconds, value(point))
        before = point.at
    return curve
