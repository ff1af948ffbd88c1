"""What became of a job's, or a schedule's, last runs: small rows by the index, the same cost at a million runs."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import text
from sqlmodel import Session

from store.times import SECOND, from_us
from store.wire import PastRun
from store.words import RunState

STRIP: Final = 30
"""Runs of one job in a strip."""
LOOKED_AT: Final = 300
"""Newest runs among which successes are looked for: a job that is asked every minute is mostly skipped."""
SUCCESSES: Final = 10

_COLUMNS: Final = "run.id, run.state, run.started_at, run.ended_at, run.created_at, run.reason"
# The names come as one JSON array, and SQLite looks up each one's newest ids by an index.
_OF_JOBS: Final = text(
    f"SELECT wanted.value, {_COLUMNS} FROM json_each(:names) AS wanted CROSS JOIN run WHERE run.id IN "
    "(SELECT id FROM run WHERE job = wanted.value ORDER BY id DESC LIMIT :most) ORDER BY run.id DESC"
)
_OF_SCHEDULES: Final = text(
    f"SELECT wanted.value, {_COLUMNS} FROM json_each(:names) AS wanted CROSS JOIN run WHERE run.id IN "
    "(SELECT id FROM run WHERE schedule = wanted.value ORDER BY scheduled_for DESC LIMIT :most) "
    "ORDER BY run.scheduled_for DESC"
)
_TOOK: Final = text(
    "SELECT wanted.value, run.ended_at - run.started_at FROM json_each(:names) AS wanted CROSS JOIN run "
    "WHERE run.id IN (SELECT id FROM run WHERE job = wanted.value ORDER BY id DESC LIMIT :most) "
    "AND run.state = 'succeeded' AND run.started_at IS NOT NULL AND run.ended_at IS NOT NULL ORDER BY run.id DESC"
)


_GOOD_AT: Final = text(
    "SELECT wanted.value, max(run.ended_at) FROM json_each(:names) AS wanted CROSS JOIN run "
    "WHERE run.id IN (SELECT id FROM run WHERE job = wanted.value ORDER BY id DESC LIMIT :most) "
    "AND run.state IN ('succeeded', 'skipped') AND run.ended_at IS NOT NULL GROUP BY 1"
)


def strips(session: Session, jobs: Iterable[str], most: int = STRIP) -> dict[str, list[PastRun]]:
    """Job → its newest runs, newest first."""
    return _grouped(session.connection().execute(_OF_JOBS, _asked(jobs, most)).all())


def of_schedules(session: Session, schedules: Iterable[str], most: int = STRIP) -> dict[str, list[PastRun]]:
    """Schedule → the runs of its newest times, newest first."""
    return _grouped(session.connection().execute(_OF_SCHEDULES, _asked(schedules, most)).all())


def expected_seconds(session: Session, jobs: Iterable[str]) -> dict[str, float]:
    """Job → median seconds of its last successes, first start to end; a job without one is left out."""
    took: dict[str, list[float]] = {}
    for job, microseconds in session.connection().execute(_TOOK, _asked(jobs, LOOKED_AT)):
        took.setdefault(job, []).append(microseconds / SECOND)
    return {job: statistics.median(seconds[:SUCCESSES]) for job, seconds in took.items()}


def last_good_at(session: Session, jobs: Iterable[str]) -> dict[str, datetime]:
    """Job → when it last ended well; a job that did not, lately, is left out."""
    return {job: from_us(at) for job, at in session.connection().execute(_GOOD_AT, _asked(jobs, LOOKED_AT))}


def _asked(names: Iterable[str], most: int) -> dict[str, Any]:
    return {"names": json.dumps(list(names)), "most": most}


def _grouped(rows: Iterable[Any]) -> dict[str, list[PastRun]]:
    found: dict[str, list[PastRun]] = {}
    for name, run, state, started, ended, created, reason in rows:
        past = PastRun(
            id=run,
            state=cast(RunState, state),
            took_seconds=(ended - started) / SECOND if started is not None and ended is not None else None,
            at=from_us(ended if ended is not None else started if started is not None else created),
            reason=reason,
        )
        found.setdefault(name, []).append(past)
    return found
