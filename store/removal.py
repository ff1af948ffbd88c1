"""The removal of old runs: rows, curves, and what is told of it. Which go is decided in `store.retention`.

First a run's own rows go, in one transaction, and a row of the removed takes their place; then its curves, by the ten
thousand points; then, by the caller, its folders; then that row says what came free. Whoever is killed in between
leaves it without, and so the next one knows where to go on.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import text
from sqlmodel import Session, col, select

from store import events
from store.engine import Transaction
from store.tables import RemovedRun
from store.times import from_us

KIND: Final = "runs.removed"
POINTS: Final = 10_000
"""Of curves, that one transaction removes."""
_RUNS: Final = "(SELECT value FROM json_each(:runs))"
_REMEMBER: Final = text(
    'INSERT INTO removed_run (id, job, state, "trigger", schedule, scheduled_for, created_at, ended_at, removed_at) '
    'SELECT id, job, state, "trigger", schedule, scheduled_for, created_at, ended_at, :now '
    f"FROM run WHERE id IN {_RUNS}"
)
_EVENTS: Final = text("DELETE FROM event WHERE subject IN (SELECT 'run ' || value FROM json_each(:runs))")
# Checks of a version of a table are the table's, and stay.
_CHECKS: Final = text(f"DELETE FROM check_result WHERE run IN {_RUNS} AND version IS NULL")
_OWN: Final = tuple(
    text(f"DELETE FROM {table} WHERE run IN {_RUNS}")
    for table in ("attempt", "param", "artifact", "checkpoint", "run_dependency", "metric_latest", "drift_report")
)
_ITSELF: Final = text(f"DELETE FROM run WHERE id IN {_RUNS}")
_POINTS: Final = tuple(
    text(f"DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE run IN {_RUNS} LIMIT :most)")
    for table, key in (
        ("metric", "run, key, step"),
        ("metric_range", "run, key, range"),
        ("resource_sample", "run, at"),
    )
)


def remove(tx: Transaction, runs: Collection[int]) -> None:
    """These runs are the removed from now on, with all that is theirs but curves and files."""
    asked = {"runs": json.dumps(sorted(runs)), "now": tx.now}
    tx.connection.execute(_REMEMBER, asked)
    for statement in (_EVENTS, _CHECKS, *_OWN, _ITSELF):
        tx.connection.execute(statement, {"runs": asked["runs"]})


def remove_points(tx: Transaction, runs: Collection[int]) -> bool:
    """A part of the curves of removed runs; True while there may be more."""
    asked = {"runs": json.dumps(sorted(runs)), "most": POINTS}
    return any(tx.connection.execute(statement, asked).rowcount for statement in _POINTS)


def left(session: Session, after: int, most: int) -> list[int]:
    """Removed runs with a higher number than `after` of which there may be curves or files."""
    query = select(RemovedRun.id).where(col(RemovedRun.bytes).is_(None), col(RemovedRun.id) > after)
    return list(session.exec(query.order_by(col(RemovedRun.id)).limit(most)))


def settle(tx: Transaction, freed: Mapping[int, int]) -> None:
    """Nothing is left of these. `freed`: run → bytes on the disk."""
    statement = text("UPDATE removed_run SET bytes = :bytes WHERE id = :run AND bytes IS NULL")
    if freed:
        tx.connection.execute(statement, [{"run": run, "bytes": size} for run, size in freed.items()])


@dataclass(frozen=True)
class Told:
    runs: int
    bytes: int


def tell(tx: Transaction, by: str, why: str) -> Told | None:
    """One event for all of which nothing is left and nothing was told yet; None if there are none."""
    query = text(
        "SELECT count(*), sum(bytes), min(ended_at), max(ended_at) FROM removed_run "
        "WHERE event IS NULL AND bytes IS NOT NULL"
    )
    runs, size, first, last = tx.connection.execute(query).one()
    if not runs:
        return None
    data: dict[str, Any] = {"runs": runs, "bytes": size, "first_ended_us": first, "last_ended_us": last}
    event = events.append(
        tx, actor=by, kind=KIND, subject="runs", message=_words(runs, size, first, last, why), data=data
    )
    marked = text("UPDATE removed_run SET event = :event WHERE event IS NULL AND bytes IS NOT NULL")
    tx.connection.execute(marked, {"event": event})
    return Told(runs, size)


def _words(runs: int, size: int, first: int, last: int, why: str) -> str:
    days = sorted({f"{from_us(at):%Y-%m-%d}" for at in (first, last)})
    what = f"{runs:,} old runs were removed" if runs > 1 else "an old run was removed"
    return f"{what}, {spoken_bytes(size)}; ended {' to '.join(days)}; {why}"


def spoken_bytes(size: int) -> str:
    """`2.1 GB`."""
    for unit, least in (("GB", 1e9), ("MB", 1e6), ("KB", 1e3)):
        if size >= least:
            return f"{size / least:.1f} {unit}"
    return f"{size} bytes"
