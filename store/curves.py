"""Metrics as curves: few points of many, without losing a peak; their best values; and sparks, curves of a few points.

A short curve is read point by point, a long one from its outline (store/ranges.py) with what grew since at its end.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from sqlmodel import Session

from store import metrics
from store.errors import NotFound
from store.past import last_by
from store.patience import driver_of
from store.ranges import WIDTH
from store.times import from_us
from store.wire import LatestMetric, MetricPoint, MetricSeries, SparkView
from store.words import SMALLER_IS_BETTER

_CURVE: Final = "FROM metric WHERE run = ? AND key = ?"
_FIRST: Final = -(2**63)
_Row = tuple[int, int, float | None]  # step, at, value
Way = Literal["min", "max"]


def series(
    session: Session,
    run: int,
    name: str,
    limit: int = 1000,
    since_step: int | None = None,
    *,
    until: int | None = None,
) -> MetricSeries:
    """A curve in the order of its steps, after `since_step`, in at most `limit` points (≥ 4) if it has more.

    With `until` (µs), as far as it had come by then.

    A longer curve is cut into equal ranges of steps, and of each the lowest and the highest point are kept, so that
    no spike is lost; the first and the last point are kept too. A range whose values are all None keeps one of them.
    Raises NotFound.
    """
    driver = driver_of(session)
    latest = _latest(driver, run, name)
    if latest is None:
        raise _unknown(session, run, name)
    key, last, _ = latest
    start = _FIRST if since_step is None else since_step + 1
    if until is not None:
        found = _last_then(driver, run, key, last, until)
        if found is None:
            return MetricSeries(run=run, name=name, points=[])
        last = found
    rows: list[_Row] = driver.execute(
        f"SELECT step, at, value {_CURVE} AND step >= ? AND step <= ? ORDER BY step LIMIT ?",
        (run, key, start, last, limit + 1),
    ).fetchall()
    if len(rows) > limit:
        rows = _thinned(driver, run, key, (rows[0][0], last), max(limit, 4))
    points = [MetricPoint(step=step, at=from_us(at), value=value) for step, at, value in rows]
    return MetricSeries(run=run, name=name, points=points)


def latest_then(session: Session, run: int, at: int) -> list[LatestMetric]:
    """The newest point of each series of a run by a time (µs), by name."""
    driver = driver_of(session)
    keys = dict(driver.execute("SELECT name, id FROM metric_key").fetchall())
    found = []
    for metric in metrics.latest(session, run):
        step = _last_then(driver, run, keys[metric.name], metric.step, at)
        if step is not None:
            query = f"SELECT value, at {_CURVE} AND step = ?"
            value, time = driver.execute(query, (run, keys[metric.name], step)).fetchone()
            found.append(LatestMetric(name=metric.name, step=step, value=value, at=from_us(time)))
    return found


def _last_then(driver: sqlite3.Connection, run: int, key: int, last: int, at: int) -> int | None:
    """The last step, up to `last`, that was there by a time: later steps are of later times."""

    def look(step: int) -> tuple[int, int] | None:
        query = f"SELECT step, at {_CURVE} AND step <= ? ORDER BY step DESC LIMIT 1"
        row: tuple[int, int] | None = driver.execute(query, (run, key, step)).fetchone()
        return row

    return last_by(at, last, look)


def sparks(session: Session, runs: Sequence[int], points: int) -> list[SparkView]:
    """Of each run that has one the curve of its objective, in at most `points` values that were there (≥ 2)."""
    driver = driver_of(session)
    found = []
    for run in dict.fromkeys(runs):
        name = _objective(driver, run)
        latest = _latest(driver, run, name) if name else None
        if name is None or latest is None:
            continue
        key, last, value = latest
        first: int = driver.execute(f"SELECT min(step) {_CURVE}", (run, key)).fetchone()[0]
        smaller = name.rpartition("/")[2] in {"loss", *SMALLER_IS_BETTER}
        best = _best(driver, run, key, (first, last), "min" if smaller else "max")
        values = _some(driver, run, key, (first, last), points)
        found.append(SparkView(run=run, metric=name, step=last, latest=value, best=best, values=values))
    return found


def _objective(driver: sqlite3.Connection, run: int) -> str | None:
    """What early stopping watches: `validation/OBJECTIVE`; the train loss where nothing was validated yet."""
    query = "SELECT k.name FROM metric_latest l JOIN metric_key k ON k.id = l.key WHERE l.run = ? ORDER BY k.name"
    names = [name for (name,) in driver.execute(query, (run,))]
    validated = [name for name in names if name.startswith("validation/")]
    watched = [name for name in validated if name != "validation/loss"] or validated
    if watched:
        return str(watched[0])
    return "train/loss" if "train/loss" in names else None


def _latest(driver: sqlite3.Connection, run: int, name: str) -> tuple[int, int, float | None] | None:
    """Key, step and value of the newest point."""
    query = (
        "SELECT key, step, value FROM metric_latest WHERE key = (SELECT id FROM metric_key WHERE name = ?) AND run = ?"
    )
    row: tuple[int, int, float | None] | None = driver.execute(query, (name, run)).fetchone()
    return row


def _some(driver: sqlite3.Connection, run: int, key: int, ends: tuple[int, int], points: int) -> list[float | None]:
    """Values at equal distances, each by one look into the index; the first and the last are among them."""
    first, last = ends
    query = f"SELECT step, value {_CURVE} AND step >= ? ORDER BY step LIMIT 1"
    wanted = [first + (last - first) * number // (points - 1) for number in range(points)]
    return list(dict(driver.execute(query, (run, key, step)).fetchone() for step in wanted).values())


# ------------------------------------------------------------------------------------------------------- extremes


@dataclass(frozen=True, kw_only=True)
class _Cut:
    """A curve in equal ranges of steps."""

    run: int
    key: int
    low: int
    high: int
    """First and last step."""
    width: int

    @property
    def base(self) -> int:
        """Where the first range begins: with the outline's, if ours are made of those."""
        return self.low if self.width % WIDTH else self.low // WIDTH * WIDTH


def _thinned(driver: sqlite3.Connection, run: int, key: int, ends: tuple[int, int], limit: int) -> list[_Row]:
    low, high = ends
    ranges = (limit - 2) // 2
    width = -(-(high - low + 1) // ranges)
    if width >= WIDTH:
        width = WIDTH * -(-(high // WIDTH - low // WIDTH + 1) // ranges)
    cut = _Cut(run=run, key=key, low=low, high=high, width=width)
    kept = {low, high, *_extremes(driver, cut, "min").values(), *_extremes(driver, cut, "max").values()}
    query = f"SELECT step, at, value {_CURVE} AND step = ?"
    return [driver.execute(query, (run, key, step)).fetchone() for step in sorted(kept)]


def _best(driver: sqlite3.Connection, run: int, key: int, ends: tuple[int, int], way: Way) -> float | None:
    low, high = ends
    whole = _Cut(run=run, key=key, low=low, high=high, width=WIDTH * (high // WIDTH - low // WIDTH + 1))
    step = _extremes(driver, whole, way)[0]
    value: float | None = driver.execute(f"SELECT value {_CURVE} AND step = ?", (run, key, step)).fetchone()[0]
    return value


def _extremes(driver: sqlite3.Connection, cut: _Cut, way: Way) -> dict[int, int]:
    """Number of a range → step of its lowest (or highest) value; any step, if it has only None."""
    found: dict[int, tuple[int, float | None]] = {}
    for step, value in _candidates(driver, cut, way):
        number = (step - cut.base) // cut.width
        known = found.get(number)
        if known is None or _beats(value, known[1], way):
            found[number] = (step, value)
    return {number: step for number, (step, _) in found.items()}


def _beats(value: float | None, other: float | None, way: Way) -> bool:
    if value is None or other is None:
        return value is not None
    return value < other if way == "min" else value > other


def _candidates(driver: sqlite3.Connection, cut: _Cut, way: Way) -> Iterator[tuple[int, float | None]]:
    """Points among which the extreme of each range is: from the outline, and from the points where there is none."""
    at = cut.low
    if cut.width % WIDTH == 0:
        side = "low" if way == "min" else "high"
        outline = "FROM metric_range WHERE run = ? AND key = ? AND range >= ? AND range < ? ORDER BY range"
        query = f"SELECT range, {side}_step, {side} {outline}"
        inside = (-(-cut.low // WIDTH), cut.high // WIDTH)
        for number, step, value in driver.execute(query, (cut.run, cut.key, *inside)):
            if number * WIDTH > at:
                yield from _read(driver, cut, at, number * WIDTH, way)
            yield step, value
            at = (number + 1) * WIDTH
    yield from _read(driver, cut, at, cut.high + 1, way)


def _read(driver: sqlite3.Connection, cut: _Cut, start: int, stop: int, way: Way) -> Iterator[tuple[int, float | None]]:
    # SQLite takes `step` from the row in which it found the minimum (or maximum).
    query = f"SELECT step, {way}(value) {_CURVE} AND step >= ? AND step < ? GROUP BY (step - ?) / ?"
    yield from driver.execute(query, (cut.run, cut.key, start, stop, cut.base, cut.width))


def _unknown(session: Session, run: int, name: str) -> NotFound:
    known = ", ".join(metric.name for metric in metrics.latest(session, run)) or "none"
    return NotFound(
        f"run {run} has no metric {name}",
        where=f"run {run}",
        remedy=f"its metrics: {known} (`trainshed runs show {run}`)",
    )
