"""Metric points: written by the ten thousand, read as curves of a few hundred points.

Names are interned; a point is five numbers in a table without row ids, in the order in which curves are read.
Nothing here goes through the ORM, which is 20 times slower.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any, Final, NamedTuple

from sqlmodel import Session

from store.engine import Transaction
from store.errors import NotFound
from store.times import from_us
from store.wire import LatestMetric, MetricPoint, MetricSeries, RunSpark
from store.wire.objective import objective_of

_POINT: Final = (
    "INSERT INTO metric (run, key, step, at, value) VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT (run, key, step) DO UPDATE SET at = excluded.at, value = excluded.value"
)
_LATEST: Final = (
    "INSERT INTO metric_latest (run, key, step, at, value) VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT (run, key) DO UPDATE SET step = excluded.step, at = excluded.at, value = excluded.value "
    "WHERE excluded.step >= metric_latest.step"
)
_CURVE: Final = "FROM metric WHERE run = ? AND key = ? AND step > ?"
_BEFORE_ALL: Final = -(2**62)
_NUMBERS: Final = frozenset({float, int, type(None)})
_Row = tuple[int, int, float | None]  # step, at, value


class _Columns(NamedTuple):
    """Points of one series, side by side: a container for each point would keep the garbage collector busy."""

    steps: list[int]
    ats: list[int]
    values: list[float | None]


@dataclass(frozen=True)
class Chunk:
    """Points of one run that were reported together."""

    run: int
    at: int
    """Microseconds since 1970 UTC."""
    steps: Sequence[int]
    """Rising."""
    values: Mapping[str, Sequence[float | None]]
    """Name → one value a step; None stands for NaN and infinities."""


def add_points(tx: Transaction, chunks: Iterable[Chunk]) -> int:
    """Stores points; one that is there already (a step computed again) is replaced. Returns how many came.

    Raises ValueError for a chunk that is not numbers in series of equal length.
    """
    chunks = [chunk for chunk in chunks if chunk.steps]
    for chunk in chunks:
        _check(chunk)
    keys = _keys(tx, {name for chunk in chunks for name in chunk.values})
    columns: dict[tuple[int, str], _Columns] = {}
    for chunk in chunks:
        size = len(chunk.steps)
        for name, values in chunk.values.items():
            series = columns.get((chunk.run, name)) or columns.setdefault((chunk.run, name), _Columns([], [], []))
            series.steps.extend(chunk.steps)
            series.ats.extend(repeat(chunk.at, size))
            series.values.extend(values)
    newest = []
    for (run, name), series in columns.items():
        key = keys[name]
        tx.driver.executemany(_POINT, zip(repeat(run), repeat(key), series.steps, series.ats, series.values))
        last = max(reversed(range(len(series.steps))), key=series.steps.__getitem__)
        newest.append((run, key, series.steps[last], series.ats[last], series.values[last]))
    tx.driver.executemany(_LATEST, newest)
    return sum(len(series.steps) for series in columns.values())


def _check(chunk: Chunk) -> None:
    if set(map(type, chunk.steps)) != {int}:
        raise ValueError(f"steps of run {chunk.run} are not whole numbers: {str(chunk.steps)[:80]}")
    for name, values in chunk.values.items():
        if len(values) != len(chunk.steps):
            raise ValueError(f"metric {name} of run {chunk.run} has {len(values)} values for {len(chunk.steps)} steps")
        if not set(map(type, values)) <= _NUMBERS:
            raise ValueError(f"metric {name} of run {chunk.run} is not numbers: {str(values)[:80]}")


def _keys(tx: Transaction, names: set[str]) -> dict[str, int]:
    if not names:
        return {}
    tx.driver.executemany("INSERT OR IGNORE INTO metric_key (name) VALUES (?)", [(name,) for name in sorted(names)])
    marks = ", ".join("?" * len(names))
    return dict(tx.driver.execute(f"SELECT name, id FROM metric_key WHERE name IN ({marks})", tuple(names)).fetchall())


# --------------------------------------------------------------------------------------------------------- reading


def latest(session: Session, run: int) -> list[LatestMetric]:
    """The newest point of each series of a run, by name."""
    rows = _all(
        session,
        "SELECT k.name, l.step, l.value, l.at FROM metric_latest l JOIN metric_key k ON k.id = l.key "
        "WHERE l.run = ? ORDER BY k.name",
        (run,),
    )
    return [LatestMetric(name=name, step=step, value=value, at=from_us(at)) for name, step, value, at in rows]


def series(session: Session, run: int, name: str, limit: int = 1000, since_step: int | None = None) -> MetricSeries:
    """A curve in the order of its steps, in at most `limit` points (≥ 4) if it has more.

    A longer curve is cut into equal ranges of steps, and of each the lowest and the highest point are kept, so that
    no spike is lost; the first and the last point are kept too. A range whose values are all None keeps one of them.
    With `since_step`, only what came after that step: nothing, if nothing did. Raises NotFound.
    """
    found = _all(session, "SELECT id FROM metric_key WHERE name = ?", (name,))
    key = found[0][0] if found else -1
    after = _BEFORE_ALL if since_step is None else since_step
    head = _all(session, f"SELECT step, at, value {_CURVE} ORDER BY step LIMIT ?", (run, key, after, limit + 1))
    if not head and (since_step is None or key < 0):
        raise _unknown(session, run, name)
    rows = head if len(head) <= limit else _thinned(session, run, key, after, max(limit, 4))
    points = [MetricPoint(step=step, at=from_us(at), value=value) for step, at, value in rows]
    return MetricSeries(run=run, name=name, points=points)


def _thinned(session: Session, run: int, key: int, after: int, limit: int) -> list[_Row]:
    ends = [
        _all(session, f"SELECT step, at, value {_CURVE} ORDER BY step {way} LIMIT 1", (run, key, after))[0]
        for way in ("ASC", "DESC")
    ]
    low, high = ends[0][0], ends[1][0] + 1
    ranges = (limit - 2) // 2
    kept: dict[int, _Row] = {row[0]: row for row in ends}
    for number in range(ranges):
        start, stop = low + (high - low) * number // ranges, low + (high - low) * (number + 1) // ranges
        # SQLite takes step and at from the row in which it found the minimum (or maximum). One pass a range in the
        # order of the index: no sorting, however long the curve.
        for extreme in ("min", "max"):
            query = f"SELECT step, at, {extreme}(value) {_CURVE} AND step < ?"
            row = _all(session, query, (run, key, start - 1, stop))[0]
            if row[0] is not None:
                kept[row[0]] = row
    return [kept[step] for step in sorted(kept)]


def _unknown(session: Session, run: int, name: str) -> NotFound:
    known = ", ".join(metric.name for metric in latest(session, run)) or "none"
    return NotFound(
        f"run {run} has no metric {name}",
        where=f"run {run}",
        remedy=f"its metrics: {known} (`trainshed runs show {run}`)",
    )


def sparks(session: Session, runs: Sequence[int], limit: int = 32) -> list[RunSpark]:
    """The objective of each of these runs that has one, in about `limit` points."""
    if not runs:
        return []
    names: dict[int, list[str]] = {}
    for name, found in latest_values(session, runs).items():
        for run in found:
            names.setdefault(run, []).append(name)
    return [_spark(session, run, objective, limit) for run in runs if (objective := objective_of(names.get(run, [])))]


def _spark(session: Session, run: int, name: str, limit: int) -> RunSpark:
    values = [point.value for point in series(session, run, name, limit).points]
    return RunSpark(run=run, name=name, value=values[-1], points=values)


def latest_values(session: Session, runs: Sequence[int]) -> dict[str, dict[int, float | None]]:
    """Name → run → newest value, for runs side by side."""
    marks = ", ".join("?" * len(runs))
    rows = _all(
        session,
        "SELECT k.name, l.run, l.value FROM metric_latest l JOIN metric_key k ON k.id = l.key "
        f"WHERE l.run IN ({marks}) ORDER BY k.name",
        tuple(runs),
    )
    found: dict[str, dict[int, float | None]] = {}
    for name, run, value in rows:
        found.setdefault(name, {})[run] = value
    return found


def _all(session: Session, statement: str, values: tuple[Any, ...]) -> list[Any]:
    return list(session.connection().exec_driver_sql(statement, values))
