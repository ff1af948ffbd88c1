"""Claiming what is due: in one transaction the runs are queued and the schedules move on.

Killed before the commit, nothing has happened and the next daemon claims the same; killed after it, the runs are
there. A nominal time never gets two runs: the transaction excludes other writers, and the table has a unique key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, cast

from sqlmodel import col, select

from daemon.orders import Order, new_runs
from daemon.timetable import Due, due_times, next_time
from pipeline.config.jobs import Job
from store import events, lifecycle, queue
from store.engine import Transaction
from store.removed import times_taken
from store.schedules import due_rows
from store.tables import Run, Schedule
from store.times import SECOND, from_us, to_us
from store.words import ACTIVE, CatchUp, Overlap

AT_ONCE: Final = 1000
"""Schedules in one transaction; the next claim, right after it, takes the rest."""
_FAR: Final = 2**62


@dataclass(frozen=True)
class Unended:
    """Runs of one schedule that have not ended, oldest first."""

    queued: list[int]
    active: list[int]


@dataclass(frozen=True)
class Decision:
    """What an overlap policy makes of due times."""

    times: list[datetime]
    """Nominal times to queue runs for."""
    cancel: list[int]
    """Runs to end first."""
    reason: str = ""
    """Why fewer times than were due."""


def decide(overlap: Overlap, times: Sequence[datetime], unended: Unended) -> Decision:
    """Pure. Times that are due together wait for each other and do not count as overlapping among themselves,
    except for queue_one, which never lets more than one wait."""
    wanted = list(times)
    earlier = [*unended.active, *unended.queued]
    if not wanted or (not earlier and overlap != "queue_one"):
        return Decision(wanted, [])
    if overlap == "skip":
        return Decision([], [], f"run {earlier[0]} has not ended")
    if overlap == "cancel_running":
        return Decision(wanted[-1:], earlier, "the newest counts" if len(wanted) > 1 else "")
    if overlap == "queue_one" and unended.queued:
        return Decision([], [], f"run {unended.queued[0]} waits already")
    if overlap == "queue_one" and len(wanted) > 1:
        return Decision(wanted[-1:], [], "one run at a time may wait")
    return Decision(wanted, [])


def claim_due(tx: Transaction, jobs: Mapping[str, Job]) -> list[int]:
    """Queues what is due now and says when each schedule is due next. The runs that were asked for, by id."""
    rows = due_rows(tx.session, tx.now, AT_ONCE)
    if not rows:
        return []
    unended, taken = _unended(tx, rows), _taken(tx, rows)
    submissions = []
    for row in rows:
        if row.job not in jobs:
            row.broken, row.next_at, row.rev = f"the project has no job {row.job}", None, tx.rev
            _tell(tx, row, "broken", f"it rests: {row.broken}")
            continue
        due = _due(row, tx.now)
        fresh = [at for at in due.times if (row.name, to_us(at)) not in taken]
        decision = decide(cast(Overlap, row.overlap), fresh, unended.get(row.name, Unended([], [])))
        _move_on(tx, row, due, taken)
        if decision.reason:
            left_out = len(fresh) - len(decision.times)
            _tell(tx, row, "skipped", f"{left_out} due run(s) left out: {decision.reason} (overlap = {row.overlap})")
        for run in decision.cancel:
            lifecycle.request_cancel(tx, run, f"schedule {row.name}")
        submissions += [new_runs(jobs, _order(row, at)) for at in decision.times]
    return [ids[-1] for ids in queue.submit_all(tx, submissions)]


def _due(row: Schedule, now: int) -> Due:
    assert row.next_at is not None
    window = timedelta(seconds=row.catch_up_window_s)
    return due_times(row.spec, row.timezone, from_us(row.next_at), from_us(now), cast(CatchUp, row.catch_up), window)


def _order(row: Schedule, at: datetime) -> Order:
    return Order(
        job=row.job,
        trigger="schedule",
        actor=f"schedule {row.name}",
        params=row.params,
        upstream=row.upstream,
        schedule=row.name,
        scheduled_for=to_us(at),
        not_before=to_us(at) + jitter(row.name, row.jitter_s) if row.jitter_s else None,
    )


def jitter(name: str, seconds: float) -> int:
    """Microseconds in [0, seconds): the same for the same name, spread evenly over names."""
    share = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") / 2**64
    return int(share * seconds * SECOND)


def _move_on(tx: Transaction, row: Schedule, due: Due, taken: set[tuple[str, int]]) -> None:
    row.next_at = to_us(due.next_at) if due.next_at is not None else None
    row.rev = tx.rev
    if due.times:
        row.last_at = to_us(due.times[-1])
    if due.passed_over is not None:
        first, last = due.passed_over
        if first == last and (row.name, to_us(first)) in taken:
            return  # it had its run before its schedule was taken away and put back
        span = f"{first:%Y-%m-%d %H:%M:%S}" + (f" to {last:%Y-%m-%d %H:%M:%S}" if last > first else "")
        _tell(tx, row, "missed", f"what was missed, {span} UTC, is not run (catch_up = {row.catch_up})")


def rewind(tx: Transaction) -> None:
    """After the clock was set back: what would be due between now and a schedule's next time is due again.

    Times that have their run do not get a second one.
    """
    for row in tx.session.exec(select(Schedule).where(col(Schedule.next_at).is_not(None))):
        upcoming = next_time(row.spec, row.timezone, from_us(tx.now))
        if upcoming is not None and row.next_at is not None and to_us(upcoming) < row.next_at:
            row.next_at, row.rev = to_us(upcoming), tx.rev


def _unended(tx: Transaction, rows: Sequence[Schedule]) -> dict[str, Unended]:
    """Without the runs of backfills: what is made up for holds up nothing that is due.

    With skip, also without those that were asked for when these times were due already: they are caught up together.
    """
    due = {row.name: row for row in rows}
    query = select(Run.id, Run.schedule, Run.state, Run.created_at).where(
        col(Run.state).in_({"queued", *ACTIVE}), col(Run.schedule).is_not(None), Run.trigger == "schedule"
    )
    found: dict[str, Unended] = {}
    for run, schedule, state, created in tx.session.exec(query.order_by(col(Run.id))):
        row = due.get(schedule or "")
        if run is None or row is None or (row.overlap == "skip" and created >= (row.next_at or 0)):
            continue
        mine = found.setdefault(row.name, Unended([], []))
        (mine.queued if state == "queued" else mine.active).append(run)
    return found


def _taken(tx: Transaction, rows: Sequence[Schedule]) -> set[tuple[str, int]]:
    """Nominal times that have a run already, or had one, as after a change of a schedule's times and back."""
    oldest = min(row.next_at for row in rows if row.next_at is not None)
    query = select(Run.schedule, Run.scheduled_for).where(
        col(Run.schedule).in_([row.name for row in rows]), col(Run.scheduled_for) >= oldest
    )
    gone = times_taken(tx.session, [row.name for row in rows], oldest, _FAR)
    taken = [*tx.session.exec(query), *((row.schedule, row.scheduled_for) for row in gone)]
    return {(name, at) for name, at in taken if name is not None and at is not None}


def _tell(tx: Transaction, row: Schedule, what: str, message: str) -> None:
    events.append(
        tx,
        actor="daemon",
        kind=f"schedule.{what}",
        subject=f"schedule {row.name}",
        message=f"schedule {row.name}: {message}",
    )
