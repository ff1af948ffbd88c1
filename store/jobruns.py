"""What became of a job's, or a schedule's, last runs: small rows by the index, the same cost at a million runs."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import TextClause, text
from sqlmodel import Session

from store.past import last_changes, newest_run
from store.tables import Event
from store.times import SECOND, from_us
from store.wire import PastRun
from store.words import ENDED, RunState

STRIP: Final = 30
"""Runs of one job in a strip."""
LOOKED_AT: Final = 300
"""Newest runs among which successes are looked for: a job that is asked every minute is mostly skipped."""
SUCCESSES: Final = 10
_NEVER: Final = 2**62

_COLUMNS: Final = "run.id, run.state, run.started_at, run.ended_at, run.created_at, run.reason"
# The names come as one JSON array, and SQLite looks up each one's newest ids by an index.
_OF_JOBS: Final = text(
    f"SELECT wanted.value, {_COLUMNS} FROM json_each(:names) AS wanted CROSS JOIN run WHERE run.id IN "
    "(SELECT id FROM run WHERE job = wanted.value AND id <= :newest ORDER BY id DESC LIMIT :most) ORDER BY run.id DESC"
)
_OF_SCHEDULES: Final = text(
    f"SELECT wanted.value, {_COLUMNS} FROM json_each(:names) AS wanted CROSS JOIN run WHERE run.id IN "
    "(SELECT id FROM run WHERE schedule = wanted.value AND id <= :newest ORDER BY scheduled_for DESC LIMIT :most) "
    "ORDER BY run.scheduled_for DESC"
)
_TOOK: Final = text(
    "SELECT wanted.value, run.ended_at - run.started_at FROM json_each(:names) AS wanted CROSS JOIN run "
    "WHERE run.id IN (SELECT id FROM run WHERE job = wanted.value AND id <= :newest ORDER BY id DESC LIMIT :most) "
    "AND run.state = 'succeeded' AND run.started_at IS NOT NULL AND run.ended_at <= :at ORDER BY run.id DESC"
)


_GOOD_AT: Final = text(
    "SELECT wanted.value, max(run.ended_at) FROM json_each(:names) AS wanted CROSS JOIN run "
    "WHERE run.id IN (SELECT id FROM run WHERE job = wanted.value AND id <= :newest ORDER BY id DESC LIMIT :most) "
    "AND run.state IN ('succeeded', 'skipped') AND run.ended_at <= :at GROUP BY 1"
)


# Each of these with `at` (µs): as it was then.


def strips(
    session: Session, jobs: Iterable[str], most: int = STRIP, *, at: int | None = None
) -> dict[str, list[PastRun]]:
    """Job → its newest runs, newest first."""
    return _grouped(session, _asked(session, _OF_JOBS, jobs, most, at), at)


def of_schedules(
    session: Session, schedules: Iterable[str], most: int = STRIP, *, at: int | None = None
) -> dict[str, list[PastRun]]:
    """Schedule → the runs of its newest times, newest first."""
    return _grouped(session, _asked(session, _OF_SCHEDULES, schedules, most, at), at)


def expected_seconds(session: Session, jobs: Iterable[str], *, at: int | None = None) -> dict[str, float]:
    """Job → median seconds of its last successes, first start to end; a job without one is left out."""
    took: dict[str, list[float]] = {}
    for job, microseconds in _asked(session, _TOOK, jobs, LOOKED_AT, at):
        took.setdefault(job, []).append(microseconds / SECOND)
    return {job: statistics.median(seconds[:SUCCESSES]) for job, seconds in took.items()}


def last_good_at(session: Session, jobs: Iterable[str], *, at: int | None = None) -> dict[str, datetime]:
    """Job → when it last ended well; a job that did not, lately, is left out."""
    return {job: from_us(ended) for job, ended in _asked(session, _GOOD_AT, jobs, LOOKED_AT, at)}


def _asked(session: Session, query: TextClause, names: Iterable[str], most: int, at: int | None) -> Sequence[Any]:
    asked = {"names": json.dumps(list(names)), "most": most}
    until = {"newest": _NEVER, "at": _NEVER} if at is None else {"newest": newest_run(session, at), "at": at}
    return session.connection().execute(query, {**asked, **until}).all()


def _grouped(session: Session, rows: Sequence[Any], at: int | None) -> dict[str, list[PastRun]]:
    changed = {}
    if at is not None:
        changed = last_changes(session, [row.id for row in rows if row.ended_at is None or row.ended_at > at], at)
    found: dict[str, list[PastRun]] = {}
    for name, *row in rows:
        run = _past_run(*row) if at is None or (row[3] is not None and row[3] <= at) else _then(row, changed, at)
        found.setdefault(name, []).append(run)
    return found


def _past_run(run: int, state: str, started: int | None, ended: int | None, created: int, reason: str) -> PastRun:
    return PastRun(
        id=run,
        state=cast(RunState, state),
        took_seconds=(ended - started) / SECOND if started is not None and ended is not None else None,
        at=from_us(ended if ended is not None else started if started is not None else created),
        reason=reason,
    )


def _then(row: Sequence[Any], changed: Mapping[int, Event], at: int) -> PastRun:
    """One that had not ended for good."""
    run, _, started, _, created, _ = row
    event = changed.get(run)
    if event is None:
        return _past_run(run, "queued", None, None, created, "")
    began = started if started is not None and started <= at else None
    state, reason = str(event.data["to"]), str(event.data.get("reason", ""))
    return _past_run(run, state, began, event.created_at if state in ENDED else None, created, reason)
