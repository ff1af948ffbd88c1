"""The outline of long curves, recorded while they grow: lowest and highest point of each range of 512 steps.

A curve of ten million points is then drawn, and its best value found, from twenty thousand rows. A range is outlined
when the curve has left it behind, and anew when a point in it is replaced; one with few points is not outlined, because
reading them costs no more. What is not outlined is read point by point.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Final

WIDTH: Final = 512
"""Steps."""
DENSE: Final = 32
"""Points from which on a range is outlined."""
# SQLite takes `step` from the row in which it found the minimum (or maximum).
_OUTLINE: Final = (
    "INSERT INTO metric_range (run, key, range, low_step, low, high_step, high) "
    "SELECT :run, :key, :range, lowest.step, lowest.value, highest.step, highest.value FROM "
    "(SELECT count(*) AS points, step, min(value) AS value FROM metric "
    "WHERE run = :run AND key = :key AND step >= :start AND step < :stop) AS lowest, "
    "(SELECT step, max(value) AS value FROM metric "
    "WHERE run = :run AND key = :key AND step >= :start AND step < :stop) AS highest "
    f"WHERE lowest.points >= {DENSE} "
    "ON CONFLICT (run, key, range) DO UPDATE SET low_step = excluded.low_step, low = excluded.low, "
    "high_step = excluded.high_step, high = excluded.high"
)


def outline(driver: sqlite3.Connection, run: int, key: int, before: int | None, steps: Iterable[int]) -> None:
    """After `steps` were stored; `before`: the newest step until then. The range of the newest step is not over yet."""
    touched = {step // WIDTH for step in steps} | ({before // WIDTH} if before is not None else set())
    driver.executemany(
        _OUTLINE,
        [
            {"run": run, "key": key, "range": number, "start": number * WIDTH, "stop": (number + 1) * WIDTH}
            for number in sorted(touched)[:-1]
        ],
    )
