"""A monitor's windows over time: a measure with its limit, accuracy with and without labels, slices. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from tui.charts.series import Curve
from tui.rows.heat import short
from tui.rows.words import bar, clock, count, figure, percent, spark, stretch
from tui.table.column import Frame
from tui.text import Line, Lines, line

if TYPE_CHECKING:
    from store.wire import AliasEventView, HeatColumn, WatchWindowView, WindowMetric, WindowSlice

SPANS: Final = (48, 200, 500)
"""Windows that the charts go back: two days of hours, a week, three; or as many days."""
MEASURES: Final = {
    "psi": "population stability index",
    "ks": "largest distance of the cumulative shares",
    "wasserstein": "distance in standard deviations of the reference",
    "missing": "rows without a value, as an effect",
    "new": "words that the reference hardly knew, as an effect",
    "mmd": "maximum mean discrepancy of vectors",
    "jensen_shannon": "Jensen-Shannon distance",
    "hellinger": "Hellinger distance",
    "missing_share": "share of rows without a value",
    "new_share": "share of rows with a word that the reference hardly knew",
    "mean": "mean of the window",
}
"""In the order in which they are offered."""
_COVERAGE: Final = 40
"""Cells of the strip of coverage."""


def midnight(windows: Sequence[WatchWindowView], frame: Frame) -> datetime:
    """Of the first day that is drawn: x is seconds since then."""
    first = min((one.end for one in windows), default=frame.now)
    return first.astimezone(frame.zone).replace(hour=0, minute=0, second=0, microsecond=0)


def measure_curves(
    column: HeatColumn, measure: str, windows: Sequence[WatchWindowView], since: datetime
) -> list[Curve]:
    """The measure, and its limit where it can alarm. `windows`: oldest first, each with this column alone."""
    drawn, limit = Curve(f"{measure} of {column.name}"), Curve("limit")
    for window in windows:
        found = next((one for one in window.columns if one.name == column.name), None)
        x = _seconds(window, since)
        drawn.add(x, x, None if found is None else found.measures.get(measure))
        if found is not None and measure in found.limits:
            limit.add(x, x, found.limits[measure])
    return [drawn, limit] if limit.steps else [drawn]


def offered(column: str, windows: Iterable[WatchWindowView]) -> list[tuple[str, float | None]]:
    """Measures that a column has, each with its newest value."""
    newest: dict[str, float] = {}
    for window in windows:
        for one in window.columns:
            if one.name == column:
                newest |= one.measures
    return [(name, newest[name]) for name in MEASURES if name in newest]


def promotions(
    moves: Sequence[AliasEventView], windows: Sequence[WatchWindowView], since: datetime
) -> tuple[list[float], str]:
    """x of each version that went into production while the windows went on, and what the legend says of them."""
    if not windows:
        return [], ""
    first, last = windows[0].start, max(one.end for one in windows)
    found = [move for move in reversed(moves) if move.alias == "production" and first <= move.at <= last]
    names = ", ".join(f"v{move.to_version}" for move in found)
    return [(move.at - since).total_seconds() for move in found], f"{names} went live"


def accuracy_curves(metric: str, windows: Sequence[WatchWindowView], since: datetime) -> list[Curve]:
    """Measured by labels, estimated without them, and what the version's evidence said."""
    found = {name: Curve(label) for name, label in _labels(metric)}
    for window in windows:
        x = _seconds(window, since)
        measured, estimated = (
            _of(part.metrics if part else [], metric) for part in (window.performance, window.estimate)
        )
        found["measured"].add(x, x, None if measured is None else measured.value)
        found["estimated"].add(x, x, None if estimated is None else estimated.value)
        known = next((one.reference for one in (measured, estimated) if one and one.reference is not None), None)
        found["evidence"].add(x, x, known)
    return [curve for curve in found.values() if any(value is not None for value in curve.values)]


def _labels(metric: str) -> list[tuple[str, str]]:
    return [
        ("measured", f"{metric} by labels"),
        ("estimated", f"{metric} without"),
        ("evidence", "when it was judged"),
    ]


def metrics_of(windows: Sequence[WatchWindowView]) -> list[str]:
    """All that are told, in the order in which windows tell them."""
    told = [part.metrics for one in reversed(windows) for part in (one.performance, one.estimate) if part is not None]
    return list(dict.fromkeys(metric.metric for part in told for metric in part))


def _of(found: Sequence[WindowMetric], metric: str) -> WindowMetric | None:
    return next((one for one in found if one.metric == metric), None)


def accuracy_lines(metric: str, windows: Sequence[WatchWindowView], frame: Frame) -> Lines:
    """What it is now, and how far that can be believed."""
    lines: list[Line] = []
    measured = _last(windows, metric, "performance")
    if measured is not None:
        window, one = measured
        lines.append(
            line(("by labels  ", "dim"), (f"{metric} {_interval(one)}", "strong"), f"  {_until(window, frame)}")
        )
        lines += _drop(one)
    estimated = _last(windows, metric, "estimate")
    if estimated is not None:
        window, one = estimated
        how = window.estimate.how if window.estimate is not None else ""
        lines.append(
            line(("without    ", "dim"), f"{metric} ≈{_interval(one)}  {_until(window, frame)}", (f"  {how}", "dim"))
        )
    lines += _coverage(windows)
    return lines or [
        line(("no labels have come, and nothing is estimated: how good the answers are is not known", "dim"))
    ]


def _last(windows: Sequence[WatchWindowView], metric: str, where: str) -> tuple[WatchWindowView, WindowMetric] | None:
    for window in reversed(windows):
        part = getattr(window, where)
        found = None if part is None else _of(part.metrics, metric)
        if found is not None:
            return window, found
    return None


def _interval(one: WindowMetric) -> str:
    if one.low is None or one.high is None:
        return figure(one.value)
    return f"{figure(one.value)} ({one.low:.3g}–{one.high:.3g})"


def _drop(one: WindowMetric) -> list[Line]:
    if one.reference is None:
        return []
    return [line(("judged     ", "dim"), f"{figure(one.reference)}, so now {one.value - one.reference:+.3g}")]


def _until(window: WatchWindowView, frame: Frame) -> str:
    again = ", told again as labels came" if window.restated_at is not None else ""
    return f"in the window until {clock(window.end, frame)}{again}"


def _coverage(windows: Sequence[WatchWindowView]) -> list[Line]:
    """How many rows have their label, window by window: the newest are the least certain."""
    shares = [one.labelled / one.rows if one.rows else None for one in windows][-_COVERAGE:]
    if not any(shares):
        return []
    last = windows[-1]
    strip = spark([0.0, *shares, 1.0], len(shares) + 2)[1:-1]
    return [
        line(
            ("labelled   ", "dim"),
            (strip, "live"),
            f"  last {percent(shares[-1])} of {count(last.rows)} rows",
        )
    ]


# ---- slices ----------------------------------------------------------------------------------------------------------


def slices(metric: str, windows: Sequence[WatchWindowView], frame: Frame) -> Lines:
    """Of the newest window that has labels: each value of a column, the worst first."""
    found = next((one for one in reversed(windows) if one.performance is not None and one.performance.slices), None)
    if found is None or found.performance is None:
        return [
            line(("no window has slices", "dim")),
            line(("performance.slices = [COLUMN] in the monitor's section names columns to tell it by", "dim")),
        ]
    whole = _of(found.performance.metrics, metric)
    rows = [(one, value) for one in found.performance.slices if (value := _of(one.metrics, metric)) is not None]
    if not rows:
        return [line((f"no slice has labels enough to tell {metric}", "dim"))]
    rows.sort(key=lambda pair: (_worse(pair[1].value, metric), pair[0].column, pair[0].value))
    width = max(len(f"{one.column} = {one.value}") for one, _ in rows)
    lines = [
        line((f"{metric} {_until(found, frame)}, the worst first", "dim")),
        line((f"{'slice':<{width}}  {'rows':>8}  {'labelled':>8}  {metric:>9}  {'to all':>8}", "dim")),
    ]
    return [*lines, *(_slice(one, value, whole, width) for one, value in rows)]


def _slice(one: WindowSlice, value: WindowMetric, whole: WindowMetric | None, width: int) -> Line:
    name = f"{one.column} = {one.value}"
    apart = "" if whole is None else f"{value.value - whole.value:+.2g}"
    share = one.labelled / one.rows if one.rows else None
    return line(
        f"{name:<{width}}  {count(one.rows):>8}  {percent(share):>8}  ",
        (f"{figure(value.value):>9}", "strong"),
        f"  {apart:>8}  ",
        (bar(value.value, 12) if 0.0 <= value.value <= 1.0 else "", "dim"),
    )


def _worse(value: float, metric: str) -> float:
    """The worst first."""
    from store.wire import SMALLER_IS_BETTER

    return -value if metric in SMALLER_IS_BETTER else value


def service_lines(windows: Sequence[WatchWindowView], frame: Frame) -> Lines:
    """How the requests of the newest windows were answered."""
    known = [one for one in windows if one.service is not None][-_COVERAGE:]
    if not known:
        return [line(("how requests were answered is not known of these windows", "dim"))]
    newest = known[-1].service
    assert newest is not None
    told = [one.service for one in known if one.service is not None]
    rows = [
        ("req/s     ", [one.per_second for one in told], short(newest.per_second or 0.0)),
        ("p99 ms    ", [one.p99_ms for one in told], "-" if newest.p99_ms is None else short(newest.p99_ms)),
        ("errors    ", [one.errors for one in told], percent(newest.errors)),
    ]
    return [
        line((f"{count(newest.requests)} requests {_until(known[-1], frame)}", "dim")),
        *(line((name, "dim"), (spark(values, _COVERAGE), "live"), f"  {now}") for name, values, now in rows),
    ]


def named(windows: Sequence[WatchWindowView], place: int, frame: Frame) -> str:
    """One of them, and how many there are after it."""
    window, after = windows[place], len(windows) - 1 - place
    where = "the newest window" if not after else f"{after} {'window' if after == 1 else 'windows'} before the newest"
    return f"{where}: {stretch(window.start, window.end, frame)}, {count(window.rows)} rows"


def span(windows: Sequence[WatchWindowView]) -> str:
    """How far back they go, in words."""
    if not windows:
        return "no windows yet"
    lasts = windows[-1].end - windows[0].start
    return f"{len(windows)} windows, {_days(lasts)}"


def _days(lasts: timedelta) -> str:
    return f"{lasts.days} days" if lasts.days > 1 else f"{lasts.total_seconds() / 3600:.0f} hours"


def _seconds(window: WatchWindowView, since: datetime) -> float:
    return (window.end - since).total_seconds()
