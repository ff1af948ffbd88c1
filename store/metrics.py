"""Metric points: written by the ten thousand. How they are read as curves is in `store.curves`.

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
from store.ranges import outline
from store.times import from_us
from store.wire import LatestMetric

_POINT: Final = (
    "INSERT INTO metric (run, key, step, at, value) VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT (run, key, step) DO UPDATE SET at = excluded.at, value = excluded.value"
)
_LATEST: Final = (
    "INSERT INTO metric_latest (run, key, step, at, value) VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT (run, key) DO UPDATE SET step = excluded.step, at = excluded.at, value = excluded.value "
    "WHERE excluded.step >= metric_latest.step"
)
_NEWEST: Final = "SELECT step FROM metric_latest WHERE run = ? AND key = ?"
_NUMBERS: Final = frozenset({float, int, type(None)})


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
        before = tx.driver.execute(_NEWEST, (run, key)).fetchone()
        tx.driver.executemany(_POINT, zip(repeat(run), repeat(key), series.steps, series.ats, series.values))
        outline(tx.driver, run, key, before[0] if before else None, series.steps)
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
