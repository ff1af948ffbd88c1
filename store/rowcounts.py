"""How many rows the tables that grow have, without reading all of a large one."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Final

from sqlmodel import Session

from store.sqltext import identifier

COUNTED: Final = (
    "run",
    "event",
    "check_result",
    "attempt",
    "metric",
    "resource_sample",
    "serving_sample",
    "dataset_version",
    "model_version",
    "watch_window",
    "removed_run",
)
_OPCODES: Final = 20_000
"""SQLite's steps between two looks at the clock: about a millisecond."""


def row_counts(session: Session, seconds: float, monotonic: Callable[[], float]) -> dict[str, int]:
    """Table → rows. Counting ends after `seconds`; a table that could not be counted by then is left out."""
    counts: dict[str, int] = {}
    driver = session.connection().connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    until = monotonic() + seconds
    driver.set_progress_handler(lambda: int(monotonic() > until), _OPCODES)
    try:
        for table in COUNTED:
            counts[table] = int(driver.execute(f"SELECT count(*) FROM {identifier(table)}").fetchone()[0])
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
            raise
    finally:
        driver.set_progress_handler(None, 0)
    return counts
