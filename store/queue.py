"""The queue of runs: what was asked for, what waits for what, what may start. A run is a row first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, cast

from sqlalchemy import func, insert
from sqlalchemy import select as columns
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from store import events
from store.engine import Transaction
from store.errors import NotFound
from store.removed import refuse_removed
from store.tables import RemovedRun, Run, RunCount, RunDependency, Schedule
from store.words import ACTIVE, GOOD, JobKind, Trigger

ALONE: Final[frozenset[JobKind]] = frozenset({"etl", "features", "batch-predict", "monitor", "backup"})
"""Kinds of which one job never runs twice at once: both would write the same table."""


@dataclass(frozen=True, kw_only=True)
class NewRun:
    """A run to be put into the queue."""

    job: str
    kind: JobKind
    target: str
    trigger: Trigger
    actor: str
    params: Mapping[str, Any] = field(default_factory=dict)
    force: bool = False
    priority: int = 0
    pool: str = "default"
    slots: int = 1
    max_attempts: int = 1
    retry_delay_s: float = 10.0
    timeout_s: float | None = None
    stall_s: float | None = None
    not_before: int | None = None
    """Microseconds since 1970 UTC; jitter and retries live here."""
    schedule: str | None = None
    scheduled_for: int | None = None
    """The nominal time, before jitter."""
    depends_on: tuple[str, ...] = ()
    """Jobs of the same submission that have to end well first."""


def submit(tx: Transaction, jobs: Sequence[NewRun]) -> list[int]:
    """Queues one submission, upstream first: the last job is what was asked for, the others are there for it.

    Returns the ids in the order of `jobs`.
    """
    return submit_all(tx, [jobs])[0]


def submit_all(tx: Transaction, submissions: Sequence[Sequence[NewRun]]) -> list[list[int]]:
    """Queues many submissions in three statements."""
    # A number that was given out is not given out again, whatever became of its run.
    highest = [tx.connection.execute(select(func.max(table.id))).scalar() for table in (Run, RemovedRun)]
    next_id = max(number or 0 for number in highest) + 1
    rows, dependencies, lines, given = [], [], [], []
    for jobs in submissions:
        ids = list(range(next_id, next_id + len(jobs)))
        next_id += len(jobs)
        by_job = {new.job: run for new, run in zip(jobs, ids, strict=True)}
        for new, run in zip(jobs, ids, strict=True):
            waits_for = [by_job[job] for job in new.depends_on]
            rows.append(_row(tx, new, run, group=ids[-1] if run != ids[-1] else None, waits_for=waits_for))
            dependencies += [{"run": run, "on_run": other} for other in waits_for]
            lines.append(_queued(new, run))
        given.append(ids)
    if rows:
        tx.connection.execute(insert(Run), rows)
        events.append_all(tx, lines)
    if dependencies:
        tx.connection.execute(insert(RunDependency), dependencies)
    return given


def _row(tx: Transaction, new: NewRun, run: int, *, group: int | None, waits_for: list[int]) -> dict[str, Any]:
    fields = {name: getattr(new, name) for name in new.__dataclass_fields__ if name != "depends_on"}
    return {
        **fields,
        "params": dict(new.params),
        "id": run,
        "state": "queued",
        "reason": waiting_for(waits_for),
        "group": group,
        "created_at": tx.now,
        "rev": tx.rev,
    }


def waiting_for(waits_for: Sequence[int]) -> str:
    """The reason of a run that is queued behind others."""
    return f"waits for run {', '.join(map(str, waits_for))}" if waits_for else ""


def _queued(new: NewRun, run: int) -> events.Line:
    why = {
        "manual": "asked for",
        "schedule": f"due by schedule {new.schedule}",
        "backfill": f"for a time of schedule {new.schedule} that has passed",
        "upstream": "needed downstream",
        "rule": "a monitor's rule asks for it",
    }
    return events.Line(
        actor=new.actor,
        kind="run.queued",
        subject=f"run {run}",
        message=f"{new.job} is queued as run {run}: {why[new.trigger]}",
        data={"job": new.job, "to": "queued", "trigger": new.trigger},
    )


def get_run(session: Session, run: int) -> Run:
    """The row. Raises NotFound, Removed."""
    row = session.get(Run, run)
    if row is None:
        refuse_removed(session, run)
        raise NotFound(f"there is no run {run}", where=f"run {run}", remedy="see `trainshed runs list`")
    return row


def kinds_towards(session: Session, runs: Sequence[Run]) -> set[JobKind]:
    """Kinds of the runs, and of those that were asked for and that they are there for."""
    asked = {run.group for run in runs if run.group is not None}
    kinds = session.exec(select(Run.kind).where(col(Run.id).in_(asked), Run.state == "queued")) if asked else ()
    return {cast(JobKind, kind) for kind in (*(run.kind for run in runs), *kinds)}


def ready_runs(session: Session, now: int, limit: int = 500) -> list[Run]:
    """Runs that could start at `now` (µs) if there is room: due, with everything they depend on ended well.

    Highest priority first, then oldest, at most `limit` of each pool. Of the kinds in `ALONE` a job appears at most
    once, and not while it runs. The runs of one schedule go one after another, each with what it builds upon, unless
    its overlap is "allow"; so do those of its backfills.
    """
    ids = _ready_ids(session, now, limit)
    rows = {row.id: row for row in session.exec(select(Run).where(col(Run.id).in_(ids)))}
    return [rows[run] for run in ids]


def _ready_ids(session: Session, now: int, limit: int) -> list[int]:
    """All that waits is looked through: thousands that wait for each other hide nobody who waits for nothing."""
    blocked = (
        select(RunDependency.run)
        .join(Run, col(Run.id) == RunDependency.on_run)
        .where(col(Run.state).not_in(GOOD))
        .where(col(RunDependency.run).in_(select(Run.id).where(col(Run.state) == "queued")))
    )
    head = aliased(Run)
    due = (
        columns(col(Run.id), col(Run.job), col(Run.kind), col(Run.pool), *_stand(head))
        .outerjoin(head, col(head.id) == col(Run.group))
        .where(col(Run.state) == "queued")
        .where(col(Run.not_before).is_(None) | (col(Run.not_before) <= now))
        .where(col(Run.id).not_in(blocked))
        .order_by(col(Run.priority).desc(), col(Run.id))
    )
    busy = {run.job for run in active_runs(session)}
    first = first_of_schedules(session)
    ready: list[int] = []
    taken: Counter[str] = Counter()
    for run, job, kind, pool, *stand in session.connection().execute(due):
        if not Stand(*stand).is_next(first) or (kind in ALONE and job in busy) or taken[pool] == limit:
            continue
        if kind in ALONE:
            busy.add(job)
        taken[pool] += 1
        ready.append(run or 0)
    return ready


Line = tuple[str | None, str]
"""Schedule and trigger: what is due now and what a backfill makes up do not wait for each other."""


class Stand(NamedTuple):
    """Where a run stands in line. What a run builds upon stands with it, or it would find what is of a later time."""

    schedule: str | None
    """None: no other run is waited for."""
    trigger: str
    head: int
    """The run of the schedule: itself, or the one that builds upon it."""

    @property
    def line(self) -> Line:
        return self.schedule, self.trigger

    def is_next(self, first: Mapping[Line, int]) -> bool:
        """`first`: line → the run at its head."""
        return first.get(self.line, self.head) == self.head


def stands(session: Session, runs: Sequence[int]) -> dict[int, Stand]:
    """Of each of these runs."""
    head = aliased(Run)
    query = (
        columns(col(Run.id), *_stand(head)).outerjoin(head, col(head.id) == col(Run.group)).where(col(Run.id).in_(runs))
    )
    return {run: Stand(*stand) for run, *stand in session.connection().execute(query)}


def _stand(head: type[Run]) -> list[Any]:
    """Columns of a `Stand`."""
    return [
        func.coalesce(head.schedule, Run.schedule),
        func.coalesce(head.trigger, Run.trigger),
        func.coalesce(head.id, Run.id),
    ]


def first_of_schedules(session: Session) -> dict[Line, int]:
    """Line of a schedule whose runs go one after another → the oldest of its runs that has not ended."""
    unended = (
        select(Run.schedule, Run.trigger, func.min(Run.id))
        .join(Schedule, col(Schedule.name) == Run.schedule)
        .where(col(Run.state).in_({"queued", *ACTIVE}), Schedule.overlap != "allow")
        .group_by(col(Run.schedule), col(Run.trigger))
    )
    return {(name, trigger): run for name, trigger, run in session.exec(unended) if run is not None}


def in_order(session: Session, limit: int) -> list[Run]:
    """The head of the queue as it is served: highest priority first, then oldest."""
    query = select(Run).where(Run.state == "queued").order_by(col(Run.priority).desc(), col(Run.id))
    return list(session.exec(query.limit(limit)))


def upstream_ends(session: Session, runs: Sequence[int]) -> dict[int, int | None]:
    """Run → when (µs) the last run that it depends on ended; None while one has not ended well. Of those with any."""
    query = (
        select(RunDependency.run, Run.state, Run.ended_at)
        .join(Run, col(Run.id) == RunDependency.on_run)
        .where(col(RunDependency.run).in_(runs))
    )
    found: dict[int, int | None] = {}
    for run, state, ended in session.exec(query):
        before = found.get(run, 0)
        found[run] = None if before is None or ended is None or state not in GOOD else max(before, ended)
    return found


def count_waiting(session: Session) -> int:
    row = session.get(RunCount, "queued")
    return 0 if row is None else row.runs


def active_runs(session: Session) -> list[Run]:
    """Runs that have a process, or should: starting and running, oldest first."""
    return list(session.exec(select(Run).where(col(Run.state).in_(ACTIVE)).order_by(col(Run.id))))


def waiting_by_pool(session: Session) -> dict[str, int]:
    """Pool → queued runs that want its slots."""
    query = select(Run.pool, func.count()).where(col(Run.state) == "queued").group_by(col(Run.pool))
    return dict(session.exec(query).all())


def explain_wait(tx: Transaction, run: int, reason: str) -> None:
    """Why a run that could start does not: no slot, no memory, no disk. Said again, it changes nothing."""
    row = get_run(tx.session, run)
    if row.state == "queued" and row.reason != reason:
        row.reason, row.rev = reason, tx.rev


def next_start(session: Session, now: int) -> int | None:
    """The nearest time after `now` (µs) at which a queued run stops waiting for its time."""
    nearest = select(func.min(Run.not_before)).where(col(Run.state) == "queued", col(Run.not_before) > now)
    return session.exec(nearest).one()
